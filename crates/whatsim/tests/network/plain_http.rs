//! An HTTP client for the genuine library that speaks to the simulator's media host.

use whatsapp_rust::http::{HttpClient, HttpRequest, HttpResponse};

/// The library only knows `https`; the simulator has no certificate.
#[derive(Default)]
pub struct PlainHttp(reqwest::Client);

#[whatsapp_rust::async_trait]
impl HttpClient for PlainHttp {
    async fn execute(&self, request: HttpRequest) -> Result<HttpResponse, anyhow::Error> {
        let url = request.url.replacen("https://127.0.0.1", "http://127.0.0.1", 1);
        let mut outgoing = match request.method.as_str() {
            "POST" => self.0.post(url),
            _ => self.0.get(url),
        };
        for (name, value) in request.headers {
            outgoing = outgoing.header(name, value);
        }
        let answer = outgoing.body(request.body.unwrap_or_default()).send().await?;
        let status_code = answer.status().as_u16();
        Ok(HttpResponse { status_code, body: answer.bytes().await?.to_vec() })
    }
}
