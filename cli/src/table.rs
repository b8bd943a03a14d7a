//! Tables for people: columns as wide as their widest cell, two spaces between.

/// Rows under headings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Makes an empty table.
    #[must_use]
    pub fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row. An empty cell is shown as "-"; a row without a cell for each column ends early.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(
            cells.into_iter().map(|cell| if cell.is_empty() { "-".to_owned() } else { cell }).collect(),
        );
    }

    /// Writes the table; lines end without spaces. Without rows only the headings are there.
    #[must_use]
    pub fn render(&self) -> String {
        let headings: Vec<String> = self.headings.iter().map(|heading| (*heading).to_owned()).collect();
        let lines = || std::iter::once(&headings).chain(&self.rows);
        let width = |column: usize| {
            lines().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.headings.len()).map(width).collect();
        let mut text = String::new();
        for line in lines() {
            let cells: Vec<String> =
                line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

/// Writes "name: value" lines with the values under each other.
#[must_use]
pub fn card(entries: &[(&str, String)]) -> String {
    let width = entries.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
    entries
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{:<width$} {value}\n", format!("{name}:")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["NAME", "STATE"]);
        table.row(["a-long-name".to_owned(), "open".to_owned()]);
        table.row(["ü".to_owned(), String::new()]);
        assert_eq!(table.render(), "NAME         STATE\na-long-name  open\nü            -\n");
        assert_eq!(Table::new(&["NAME", "STATE"]).render(), "NAME  STATE\n");
    }

    #[test]
    fn cards_leave_out_what_is_empty() {
        let text = card(&[("id", "x".to_owned()), ("longer", "y".to_owned()), ("none", String::new())]);
        assert_eq!(text, "id:     x\nlonger: y\n");
    }
}
