//! The files that Tableau would render: valid files with little content. No HTTP.

mod office;
mod pdf;
mod png;

pub(crate) use office::{powerpoint, workbook};
pub(crate) use pdf::{Page, pdf};
pub(crate) use png::png;

/// The data of every view: sales by region.
const ROWS: [(&str, u32); 4] =
    [("Central", 501_240), ("East", 678_781), ("South", 391_722), ("West", 725_458)];

/// The rows that match `vf_Region`, which may list several regions separated by commas. An empty filter matches all
/// rows.
pub(crate) fn rows(regions: Option<&str>) -> Vec<[String; 2]> {
    let regions = regions.filter(|names| !names.is_empty()).map(values);
    let wanted = |region: &str| regions.as_ref().is_none_or(|names| names.iter().any(|name| name == region));
    let rows = ROWS.iter().filter(|(region, _)| wanted(region));
    let head = ["Region".to_owned(), "Sales".to_owned()];
    std::iter::once(head)
        .chain(rows.map(|(region, sales)| [(*region).to_owned(), sales.to_string()]))
        .collect()
}

/// The values of a filter: separated by commas; a backslash escapes a comma or a backslash.
///
/// Source: `tableau/server-client-python#1840`
fn values(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let last = values.len() - 1;
        match c {
            ',' => values.push(String::new()),
            '\\' => values[last].push(characters.next_if(|next| matches!(next, ',' | '\\')).unwrap_or(c)),
            c => values[last].push(c),
        }
    }
    values
}

pub(crate) fn csv(rows: &[[String; 2]]) -> String {
    rows.iter().map(|row| format!("{}\n", row.join(","))).collect()
}

/// An SVG image of a view's data, whose text can be searched.
pub(crate) fn svg(width: u32, height: u32, lines: &[String]) -> String {
    let line = |(n, text): (usize, &String)| {
        format!("<text x=\"20\" y=\"{}\">{}</text>", 30 + n * 20, quick_xml::escape::escape(text.as_str()))
    };
    let lines: String = lines.iter().enumerate().map(line).collect();
    format!("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\">{lines}</svg>")
}

/// The checksum of PNG chunks and ZIP entries.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_in_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_filter_leaves_the_regions_that_it_names() {
        assert_eq!(csv(&rows(Some("East,West"))), "Region,Sales\nEast,678781\nWest,725458\n");
        assert_eq!((rows(None).len(), rows(Some("")).len(), rows(Some("east")).len()), (5, 5, 1));
        assert_eq!(values(r"a\,b,c\\,\d"), ["a,b", r"c\", r"\d"]);
    }
}
