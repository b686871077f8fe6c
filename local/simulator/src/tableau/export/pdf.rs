//! PDF files with a few lines of text on each page.

/// One page of a PDF.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// Width and height in points.
    pub(crate) size: (u32, u32),
    pub(crate) lines: Vec<String>,
}

/// A PDF 1.4 file with these pages.
pub(crate) fn pdf(pages: &[Page]) -> Vec<u8> {
    // Objects 1 to 3 are the catalog, the page tree and the font. Each page has two more objects.
    let kids: String = (0..pages.len()).map(|n| format!("{} 0 R ", 4 + 2 * n)).collect();
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Kids[{kids}]/Count {}>>", pages.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
    ];
    for (n, Page { size: (width, height), lines }) in pages.iter().enumerate() {
        let text: String = lines.iter().map(|line| format!("({}) Tj T*\n", literal(line))).collect();
        let stream = format!("BT /F1 14 Tf 20 TL 40 {} Td\n{text}ET\n", height.saturating_sub(60));
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Resources<</Font<</F1 3 0 R>>>>/Contents {} 0 R>>",
            5 + 2 * n
        ));
        objects.push(format!("<</Length {}>>\nstream\n{stream}endstream", stream.len()));
    }
    let mut file = "%PDF-1.4\n".to_owned();
    let mut table = "0000000000 65535 f \n".to_owned();
    for (n, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", n + 1));
    }
    let start = file.len();
    let size = objects.len() + 1;
    file.push_str(&format!("xref\n0 {size}\n{table}trailer\n<</Size {size}/Root 1 0 R>>\n"));
    file.push_str(&format!("startxref\n{start}\n%%EOF\n"));
    file.into_bytes()
}

/// The content of a PDF string; characters outside ASCII are left out.
fn literal(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
    escaped.chars().filter(|c| c.is_ascii() && !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_a_file_says_where_its_objects_are() {
        let page = Page { size: (612, 792), lines: vec!["Sales (east)".to_owned()] };
        let text = String::from_utf8(pdf(&[page.clone(), page])).unwrap();

        let start: usize =
            text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
        let rows: Vec<&str> = text[start..].lines().skip(2).take(8).collect();

        for (n, row) in rows.iter().enumerate().skip(1) {
            let at: usize = row[..10].parse().unwrap();
            assert!(text[at..].starts_with(&format!("{n} 0 obj")), "{row}");
        }
        assert!(text.contains("/Count 2") && text.contains("(Sales \\(east\\)) Tj"), "{text}");
    }
}
