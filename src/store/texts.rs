//! Texts shared by runs, stored once under their hash: code diffs, resolved parameters, definitions.

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::database::{Store, StoreError};

/// zlib's default level: these texts are written once and kept long.
const USUAL: u8 = 6;
/// Larger texts are not decompressed, because a broken one must not exhaust the memory.
const LARGEST: usize = 1 << 28;

/// The key of a text in the store.
pub fn text_hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..32].to_owned()
}

/// Adds to the runs what their nodes used and measured, and the parts of texts.
pub(super) fn create_parts(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "ALTER TABLE runs ADD COLUMN definitions TEXT;
        ALTER TABLE runs ADD COLUMN metrics TEXT;
        -- Texts that another text names by their hashes; they are pruned with it.
        CREATE TABLE parts (
            whole TEXT NOT NULL,
            part TEXT NOT NULL,
            PRIMARY KEY (whole, part)
        ) WITHOUT ROWID;",
    )
}

fn insert(connection: &Connection, hash: &str, text: &str) -> rusqlite::Result<usize> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO texts (hash, length, packed) VALUES (?1, ?2, ?3)")?
        .execute(params![hash, text.len() as i64, compress_to_vec_zlib(text.as_bytes(), USUAL)])
}

impl Store {
    /// Stores a text and returns its hash, the key for [`Store::text`]. Pruning deletes the text
    /// with the last run that refers to it.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn keep_text(&mut self, text: &str) -> Result<String, StoreError> {
        let hash = text_hash(text);
        self.write(|connection| insert(connection, &hash, text))?;
        Ok(hash)
    }

    /// Stores a text with other texts that it names by their hashes, and returns its hash. Each
    /// text is stored once, whichever texts name it.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn keep_parts(&mut self, text: &str, parts: &[String]) -> Result<String, StoreError> {
        let hash = text_hash(text);
        let known = |connection: &mut Connection| {
            let found = "SELECT EXISTS (SELECT 1 FROM texts WHERE hash = ?1)";
            connection.query_row(found, [&hash], |row| row.get::<_, bool>(0))
        };
        if self.read(known)?.unwrap_or(false) {
            return Ok(hash);
        }
        self.write(|connection| {
            let transaction = connection.transaction()?;
            for part in parts {
                let of = text_hash(part);
                insert(&transaction, &of, part)?;
                transaction
                    .prepare_cached("INSERT OR IGNORE INTO parts (whole, part) VALUES (?1, ?2)")?
                    .execute([&hash, &of])?;
            }
            insert(&transaction, &hash, text)?;
            transaction.commit()
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

    #[test]
    fn parts_are_kept_once_and_pruned_with_the_last_text_that_names_them() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::new(folder.path());
        let (old, new, same) = ("old".to_owned(), "new".to_owned(), "same".to_owned());
        let first = store.keep_parts("1", &[old.clone(), same.clone()]).unwrap();
        let second = store.keep_parts("2", &[new.clone(), same.clone()]).unwrap();
        assert_eq!(store.keep_parts("2", &[]).unwrap(), second);
        for definitions in [first, second] {
            let mut run = store.add_run(&crate::store::NewRun::default()).unwrap();
            run.outcome = crate::store::Outcome::Succeeded;
            run.definitions = Some(definitions);
            let progress = crate::store::Progress {
                record: &run,
                first: 1,
                entries: &[],
                nodes: &[],
                datasets: &[],
            };
            store.record(&progress).unwrap();
        }
        let kept = |store: &mut Store| {
            [&old, &same, &new].map(|text| store.text(&text_hash(text)).unwrap().is_some())
        };
        assert_eq!(kept(&mut store), [true, true, true]);
        let newest = crate::store::PruneLimits { runs: Some(1), ..Default::default() };
        store.prune(&newest).unwrap();
        assert_eq!(kept(&mut store), [false, true, true]);
    }
}
