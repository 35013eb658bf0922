use super::*;

const TENANT: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn mistakes(pairs: &[(&str, &str)]) -> Vec<Mistake> {
    Contract::from_env(&env(pairs)).unwrap_err().0
}

#[test]
fn the_shortest_environment_gets_the_documented_defaults() {
    let read = Contract::from_env(&env(&[("TENANT_ID", TENANT), ("SESSIONS_PATH", "/s")])).unwrap();
    assert_eq!(read.tenant.to_string(), TENANT);
    assert_eq!(read.link, None);
    assert_eq!(read.heartbeat_interval, Duration::from_secs(30));
    assert_eq!(read.rate_limit_max_per_minute, 10);
    assert_eq!(read.whatsapp, WhatsApp { url: WHATSAPP_URL.to_owned(), version: None });
    let reconnect = Policy {
        initial: Duration::from_secs(5),
        factor: 3.0,
        max: Duration::from_secs(300),
        attempts: 10,
        healthy: Duration::from_secs(180),
        probe: Duration::from_secs(1800),
    };
    assert_eq!(read.reconnect, reconnect);
    assert!(read.liveness.longest() < Duration::from_secs(60), "found within a minute");
    assert_eq!(read.pairing_timeout, Duration::from_secs(600));
}

#[test]
fn all_mistakes_are_told_at_once_each_with_its_variable() {
    let found = mistakes(&[
        ("TENANT_ID", "seven"),
        ("TENANTRY_LINK", "unix:relative"),
        ("HEARTBEAT_INTERVAL_MS", "5"),
        ("WHATSAPP_URL", "http://x"),
        ("WHATSAPP_VERSION", "2.3000"),
        ("RECONNECT_FACTOR", "0.5"),
    ]);
    let variables: Vec<&str> = found.iter().map(|mistake| mistake.variable).collect();
    assert_eq!(
        variables,
        [
            "TENANT_ID",
            "SESSIONS_PATH",
            "TENANTRY_LINK",
            "TENANTRY_TOKEN_FILE",
            "TENANTRY_GENERATION",
            "HEARTBEAT_INTERVAL_MS",
            "WHATSAPP_URL",
            "WHATSAPP_VERSION",
            "RECONNECT_FACTOR"
        ]
    );
    let text = Mistakes(found).to_string();
    assert!(text.contains("\n  SESSIONS_PATH: not set; set it to the folder"), "{text}");
}

#[test]
fn empty_counts_as_not_set() {
    let found = mistakes(&[("TENANT_ID", " "), ("SESSIONS_PATH", "/s"), ("TENANTRY_LINK", "")]);
    assert_eq!(found.len(), 1);
    assert!(found[0].message.starts_with("not set"));
}

#[test]
fn another_service_gets_a_fixed_version_unless_one_is_given() {
    let base = [("TENANT_ID", TENANT), ("SESSIONS_PATH", "/s")];
    let mut pairs = base.to_vec();
    pairs.push(("WHATSAPP_URL", "ws://127.0.0.1:1/ws/chat"));
    let version =
        |pairs: &[(&str, &str)]| Contract::from_env(&env(pairs)).unwrap().whatsapp.version;
    assert_eq!(version(&pairs), Some(FIXED_VERSION));
    pairs.push(("WHATSAPP_VERSION", "2.3000.7"));
    assert_eq!(version(&pairs), Some((2, 3000, 7)));
}

#[test]
fn a_cap_below_the_first_wait_is_a_mistake() {
    let found = mistakes(&[
        ("TENANT_ID", TENANT),
        ("SESSIONS_PATH", "/s"),
        ("RECONNECT_INITIAL_MS", "2000"),
        ("RECONNECT_MAX_MS", "1000"),
    ]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].variable, "RECONNECT_MAX_MS");
}

#[test]
fn a_whole_link_is_read() {
    let read = Contract::from_env(&env(&[
        ("TENANT_ID", TENANT),
        ("SESSIONS_PATH", "/s"),
        ("TENANTRY_LINK", "http://127.0.0.1:9"),
        ("TENANTRY_TOKEN_FILE", "/t"),
        ("TENANTRY_GENERATION", "3"),
    ]));
    let link = Link {
        address: "http://127.0.0.1:9".to_owned(),
        token_file: PathBuf::from("/t"),
        generation: 3,
        incarnation: 0,
    };
    assert_eq!(read.unwrap().link, Some(link));
}
