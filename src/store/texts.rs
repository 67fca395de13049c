//! Texts shared by runs, stored once under their hash: code diffs, resolved parameters.

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use rusqlite::{OptionalExtension, params};

use super::database::{Store, StoreError};

/// zlib's default level: these texts are written once and kept long.
const USUAL: u8 = 6;
/// Larger texts are not decompressed, because a broken one must not exhaust the memory.
const LARGEST: usize = 1 << 28;

impl Store {
    /// Stores a text and returns its hash, the key for [`Store::text`]. Pruning deletes the text
    /// with the last run that refers to it.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn keep_text(&mut self, text: &str) -> Result<String, StoreError> {
        let hash = blake3::hash(text.as_bytes()).to_hex()[..32].to_owned();
        let packed = compress_to_vec_zlib(text.as_bytes(), USUAL);
        self.write(|connection| {
            connection.execute(
                "INSERT OR IGNORE INTO texts (hash, length, packed) VALUES (?1, ?2, ?3)",
                params![hash, text.len() as i64, packed],
            )
        })?;
        Ok(hash)
    }

    /// A stored text; `None` if it is missing or broken.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn text(&mut self, hash: &str) -> Result<Option<String>, StoreError> {
        let packed: Option<Option<Vec<u8>>> = self.read(|connection| {
            connection
                .query_row("SELECT packed FROM texts WHERE hash = ?1", [hash], |row| row.get(0))
                .optional()
        })?;
        let bytes = packed
            .flatten()
            .and_then(|packed| decompress_to_vec_zlib_with_limit(&packed, LARGEST).ok());
        Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_and_found_by_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        let text = "+ a line\n".repeat(10_000);
        let hash = store.keep_text(&text).unwrap();
        assert_eq!(store.keep_text(&text).unwrap(), hash);
        assert_ne!(store.keep_text("").unwrap(), hash);
        assert_eq!(store.text(&hash).unwrap().as_deref(), Some(text.as_str()));
        assert_eq!(store.text("gone").unwrap(), None);
    }
}
