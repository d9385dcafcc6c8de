//! The bytes behind the base64 of a request: clients of the operations take bytes, and write base64 by themselves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The bytes whose base64 this is; none if no bytes are written so.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    // The engine accepts no other alphabet, padding, white space or bits in the end than it writes.
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_client_would_write_has_bytes() {
        assert_eq!(bytes(""), Some(Vec::new()));
        assert_eq!(bytes("YQ=="), Some(b"a".to_vec()));
        for other in ["YQ", "YR==", "YQ==\n", "Y Q==", "_w==", "!"] {
            assert_eq!(bytes(other), None, "{other}");
        }
    }
}
