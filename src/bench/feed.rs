//! `--feed users.csv`: rows of values, one for each connection in turn, that `{{column}}` stands for
//! in messages, headers and the URL; and the `{{group}}` that a connection belongs to.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, cause_text};
use crate::text::bounded;

/// Rows and bytes at most; a feed is held in memory.
const MOST_ROWS: usize = 1_000_000;
const MOST: u64 = 256 << 20;

/// A file of values that was read.
#[derive(Debug, Clone, Default)]
pub struct Feed {
    columns: Arc<HashMap<String, usize>>,
    rows: Arc<Vec<Vec<String>>>,
    /// `--groups`; 0 stands for one.
    groups: usize,
}

impl Feed {
    /// Reads a CSV file (RFC 4180) whose first row names the columns.
    ///
    /// # Errors
    /// [`Error::Usage`] that names file and line.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let shown = path.display();
        let wrong = |error: csv::Error| Error::usage(format!("--feed {shown}: {error}"));
        let bytes = bounded::read(path, MOST)
            .map_err(|cause| Error::usage(format!("--feed {shown}: {}", cause_text(&cause))))?;
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::Headers)
            .from_reader(&bytes[..]);
        let names = reader.headers().map_err(wrong)?.clone();
        let mut rows = Vec::new();
        for record in reader.records() {
            if rows.len() == MOST_ROWS {
                return Err(Error::usage(format!(
                    "--feed {shown}: more than {MOST_ROWS} rows"
                )));
            }
            rows.push(record.map_err(wrong)?.iter().map(str::to_owned).collect());
        }
        if rows.is_empty() {
            return Err(Error::usage_hint(
                format!("--feed {shown}: no rows"),
                "the first line names the columns; each further line is for one connection",
            ));
        }
        let columns = names.iter().enumerate();
        Ok(Self {
            columns: Arc::new(columns.map(|(at, name)| (name.to_owned(), at)).collect()),
            rows: Arc::new(rows),
            groups: 1,
        })
    }

    /// The same rows, and connections in so many groups.
    pub fn in_groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// How many groups there are.
    pub const fn groups(&self) -> usize {
        if self.groups == 0 { 1 } else { self.groups }
    }

    /// The number of a connection's group, from 1: connections are dealt into them one after another.
    pub const fn group(&self, connection: u64) -> u64 {
        connection.wrapping_sub(1) % self.groups() as u64 + 1
    }

    /// The place of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.get(name).copied()
    }

    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }

    /// The names of the columns in their order, and the rows.
    pub fn table(&self) -> impl Iterator<Item = Vec<&str>> {
        let mut names: Vec<(&str, usize)> = Vec::new();
        names.extend(self.columns.iter().map(|(name, at)| (name.as_str(), *at)));
        names.sort_by_key(|(_, at)| *at);
        let names = names.into_iter().map(|(name, _)| name).collect();
        let rows = self.rows.iter();
        let rows = rows.map(|row| row.iter().map(String::as_str).collect());
        std::iter::once(names).chain(rows)
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The value of a column for a connection; the rows begin again where there are more connections.
    pub fn value(&self, connection: u64, column: usize) -> &str {
        let row = &self.rows[(connection as usize).wrapping_sub(1) % self.rows.len()];
        row.get(column).map_or("", String::as_str)
    }
}
