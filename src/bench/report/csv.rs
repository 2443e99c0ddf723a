//! `csv`: the series, a row for each second (RFC 4180), as spreadsheets and plotting tools read it.

use super::{Entry, Form};
use crate::bench::result::BenchResult;

pub(super) const ENTRY: Entry = Entry {
    name: "csv",
    help: "second by second, a row for each (RFC 4180); latencies in microseconds",
    form: Form::File(|result, _| write(result)),
};

fn write(result: &BenchResult) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        // What comes from a file may have rows of other lengths.
        .flexible(true)
        .from_writer(Vec::new());
    let series = &result.series;
    // Writing to memory cannot fail.
    let _ = writer.write_record(&series.columns);
    for row in &series.rows {
        let _ = writer.write_record(row.iter().map(ToString::to_string));
    }
    writer.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_row_for_each_second_below_the_names() {
        let mut result = sample::result();
        result.series.columns = vec!["t".into(), "a \"name\", quoted".into()];
        result.series.rows = vec![vec![1.0, 12.5], vec![2.0, 1e21], vec![3.0]];
        let written = String::from_utf8(write(&result)).unwrap();
        let lines = [
            "t,\"a \"\"name\"\", quoted\"",
            "1,12.5",
            "2,1000000000000000000000",
            "3",
            "",
        ];
        assert_eq!(written, lines.join("\r\n"));
    }
}
