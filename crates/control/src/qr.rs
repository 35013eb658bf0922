//! Drawing QR codes.

use qrcode::render::{svg, unicode};
use qrcode::{Color, EcLevel, QrCode};

/// Pixels to one module of a PNG.
const PNG_SCALE: usize = 8;
/// Modules of quiet zone around the code, as the QR standard asks for.
const QUIET: usize = 4;

/// Why a code cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    /// The text does not fit into a QR code.
    #[error("the text does not fit into a QR code: {0}")]
    TooLong(#[from] qrcode::types::QrError),
    /// The picture could not be encoded.
    #[error("the picture could not be encoded: {0}")]
    Png(#[from] png::EncodingError),
}

fn code(text: &str) -> Result<QrCode, DrawError> {
    // The lowest level of correction gives the largest modules, which phones read best from a screen.
    Ok(QrCode::with_error_correction_level(text, EcLevel::L)?)
}

/// The code as half-block characters, two rows of modules to a line, for a dark terminal.
///
/// # Errors
/// [`DrawError::TooLong`].
pub fn text(text: &str) -> Result<String, DrawError> {
    Ok(code(text)?
        .render::<unicode::Dense1x2>()
        .dark_color(unicode::Dense1x2::Light)
        .light_color(unicode::Dense1x2::Dark)
        .build())
}

/// The code as an SVG document.
///
/// # Errors
/// [`DrawError::TooLong`].
pub fn svg(text: &str) -> Result<String, DrawError> {
    Ok(code(text)?.render::<svg::Color<'_>>().min_dimensions(320, 320).build())
}

/// The code as a PNG picture in shades of grey.
///
/// # Errors
/// [`DrawError`].
pub fn png(text: &str) -> Result<Vec<u8>, DrawError> {
    let code = code(text)?;
    let modules = code.width();
    let side = (modules + 2 * QUIET) * PNG_SCALE;
    let mut pixels = vec![u8::MAX; side * side];
    for (index, _) in
        code.to_colors().iter().enumerate().filter(|(_, color)| **color == Color::Dark)
    {
        let left = (index % modules + QUIET) * PNG_SCALE;
        let top = (index / modules + QUIET) * PNG_SCALE;
        for row in top..top + PNG_SCALE {
            pixels[row * side + left..][..PNG_SCALE].fill(0);
        }
    }
    let mut picture = Vec::new();
    let side = u32::try_from(side).unwrap_or(u32::MAX);
    let mut encoder = png::Encoder::new(&mut picture, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::{DrawError, png, svg, text};

    const CODE: &str = "2@abc,def,ghi,jkl,1";

    #[test]
    fn every_form_is_drawn() {
        assert!(svg(CODE).unwrap().contains("<svg"));
        assert!(text(CODE).unwrap().lines().count() > 10);
        assert!(png(CODE).unwrap().starts_with(b"\x89PNG"));
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        assert!(matches!(text(&"x".repeat(5000)), Err(DrawError::TooLong(_))));
    }
}
