//! PowerPoint and Excel files: ZIP archives of XML. The presentation has no slides.

use super::crc32;
use quick_xml::escape::escape;

const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const TYPES: &str = "application/vnd.openxmlformats-officedocument";

/// A PowerPoint file with this title and no slides.
pub(crate) fn powerpoint(title: &str) -> Vec<u8> {
    let main = "http://schemas.openxmlformats.org/presentationml/2006/main";
    let presentation = format!(
        "<p:presentation xmlns:p=\"{main}\"><p:notesSz cx=\"6858000\" cy=\"9144000\"/></p:presentation>"
    );
    let kind = format!("{TYPES}.presentationml.presentation.main+xml");
    package("ppt/presentation.xml", &kind, &presentation, title, &[])
}

/// An Excel file with one sheet of these rows.
pub(crate) fn workbook(sheet: &str, rows: &[[String; 2]]) -> Vec<u8> {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let name: String = sheet.chars().filter(|c| !"[]:*?/\\".contains(*c)).take(31).collect();
    let book = format!(
        "<workbook xmlns=\"{main}\" xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"{}\" sheetId=\"1\" r:id=\"rId1\"/>\
         </sheets></workbook>",
        escape(name)
    );
    let cell = |text: &String| format!("<c t=\"inlineStr\"><is><t>{}</t></is></c>", escape(text.as_str()));
    let row = |row: &[String; 2]| format!("<row>{}</row>", row.iter().map(cell).collect::<String>());
    let rows: String = rows.iter().map(row).collect();
    let part = (
        "worksheets/sheet1.xml",
        format!("<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData></worksheet>"),
    );
    package("xl/workbook.xml", &format!("{TYPES}.spreadsheetml.sheet.main+xml"), &book, sheet, &[part])
}

/// An Office archive of a main part, its sheets and the parts that describe them.
fn package(main: &str, kind: &str, content: &str, title: &str, sheets: &[(&str, String)]) -> Vec<u8> {
    let (folder, file) = main.split_once('/').unwrap_or(("", main));
    let sheet_kind = format!("{TYPES}.spreadsheetml.worksheet+xml");
    let sheet_types = sheets
        .iter()
        .map(|(path, _)| format!("<Override PartName=\"/{folder}/{path}\" ContentType=\"{sheet_kind}\"/>"));
    let types = format!(
        "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
         <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
         <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
         <Override PartName=\"/{main}\" ContentType=\"{kind}\"/>{}\
         <Override PartName=\"/docProps/core.xml\" ContentType=\"application/vnd.openxmlformats-package.core-properties+xml\"/>\
         </Types>",
        sheet_types.collect::<String>()
    );
    let core = format!(
        "<cp:coreProperties xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>{}</dc:title></cp:coreProperties>",
        escape(title)
    );
    let properties = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties";
    let office = format!("{OFFICE}/officeDocument");
    let of_package = relationships(&[(office.as_str(), main), (properties, "docProps/core.xml")]);
    let worksheet = format!("{OFFICE}/worksheet");
    let of_main: Vec<(&str, &str)> = sheets.iter().map(|(path, _)| (worksheet.as_str(), *path)).collect();
    let mut parts = vec![
        ("[Content_Types].xml".to_owned(), types),
        ("_rels/.rels".to_owned(), of_package),
        (main.to_owned(), content.to_owned()),
        ("docProps/core.xml".to_owned(), core),
        (format!("{folder}/_rels/{file}.rels"), relationships(&of_main)),
    ];
    parts.extend(sheets.iter().map(|(path, content)| (format!("{folder}/{path}"), content.clone())));
    zip(&parts)
}

fn relationships(of: &[(&str, &str)]) -> String {
    let one = |(n, (kind, target)): (usize, &(&str, &str))| {
        format!("<Relationship Id=\"rId{}\" Type=\"{kind}\" Target=\"{target}\"/>", n + 1)
    };
    let all: String = of.iter().enumerate().map(one).collect();
    format!(
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{all}</Relationships>"
    )
}

/// A ZIP archive without compression.
fn zip(parts: &[(String, String)]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in parts {
        let offset = file.len() as u32;
        let size = content.len() as u32;
        let sum = crc32(content.as_bytes());
        let mut head = Vec::new();
        // ZIP version 2.0, no flags, no compression, date 1 January 1980.
        [20_u16, 0, 0, 0, 0x21].iter().for_each(|field| head.extend(field.to_le_bytes()));
        [sum, size, size].iter().for_each(|field| head.extend(field.to_le_bytes()));
        [name.len() as u16, 0].iter().for_each(|field| head.extend(field.to_le_bytes()));
        file.extend([b"PK\x03\x04".as_slice(), &head, name.as_bytes(), content.as_bytes()].concat());
        directory.extend(
            [b"PK\x01\x02\x14\0".as_slice(), &head, &[0; 10], &offset.to_le_bytes(), name.as_bytes()]
                .concat(),
        );
    }
    let count = parts.len() as u16;
    let start = file.len() as u32;
    let length = directory.len() as u32;
    file.extend(directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    [count, count].iter().for_each(|field| file.extend(field.to_le_bytes()));
    [length, start].iter().for_each(|field| file.extend(field.to_le_bytes()));
    file.extend([0, 0]);
    file
}
