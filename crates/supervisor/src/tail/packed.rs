//! The end of a compressed log file.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use flate2::read::MultiGzDecoder;

use super::{MAX_BACK, MAX_LINE, text};

/// Its last lines, at most [`MAX_BACK`] bytes of them. It has to be read from its beginning for that.
pub(super) fn last_lines(file: &File, count: usize) -> io::Result<Vec<String>> {
    let mut reader = BufReader::new(MultiGzDecoder::new(file));
    let mut lines: VecDeque<Vec<u8>> = VecDeque::new();
    let mut size = 0;
    loop {
        let mut line = Vec::new();
        // A longer line comes in pieces.
        if reader.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        size += line.len() as u64;
        lines.push_back(line);
        while lines.len() > count || size > MAX_BACK {
            let Some(first) = lines.pop_front() else {
                break;
            };
            size -= first.len() as u64;
        }
    }
    let whole = |line: Vec<u8>| text(line.strip_suffix(b"\n").unwrap_or(&line));
    Ok(lines.into_iter().map(whole).collect())
}
