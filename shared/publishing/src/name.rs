//! Names of folders and files, as SharePoint takes them. No I/O.
//!
//! Source: <https://support.microsoft.com/office/restrictions-and-limitations-in-onedrive-and-sharepoint-64883a5d-228e-48f5-b3d2-eb39e07630fa>

use plain_text::{is_invisible, one_line};

/// The most characters of a folder's or file's name. SharePoint allows 255, and refuses some shorter ones with a misleading 401:
/// `OneDrive/onedrive-api-docs#420`.
pub const LONGEST_NAME: usize = 200;
/// The most characters of a path, from the site on: site, library, folders and file.
pub const NAME_AND_LIBRARY: usize = 400;
/// To how many characters a name is shortened at most.
const SHORTEST: usize = 24;
/// What stands in place of characters that no name may have.
const INSTEAD: char = '_';
/// Names that Windows or SharePoint keep for themselves.
const RESERVED: [&str; 8] = [".lock", "con", "prn", "aux", "nul", "desktop.ini", "forms", "_vti_"];

/// Folders and site alone are longer than SharePoint allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the path has more than {NAME_AND_LIBRARY} characters, however much its names are shortened: use fewer folders"
)]
pub struct PathTooLong;

/// A name that can be used, and whether it differs from `text`.
///
/// `%` is replaced because SharePoint decodes it a second time (`microsoftgraph/msgraph-sdk-dotnet#2565`), and `#` after `&`, which it
/// refuses however it is encoded (`microsoftgraph/microsoft-graph-docs#10511`).
pub fn clean(text: &str) -> (String, bool) {
    let mut name = String::with_capacity(text.len());
    for c in one_line(text).chars().filter(|c| !is_invisible(*c)) {
        let is_refused =
            c.is_control() || matches!(c, '"' | '*' | ':' | '<' | '>' | '?' | '/' | '\\' | '|' | '%');
        let is_entity = c == '#' && name.ends_with('&');
        name.push(if is_refused || is_entity { INSTEAD } else { c });
    }
    let mut name = name.trim_matches(' ').trim_end_matches(['.', ' ']).to_owned();
    if name.is_empty() {
        name.push(INSTEAD);
    }
    if name.starts_with('~') {
        name.replace_range(..1, "_");
    }
    // SharePoint keeps this for itself anywhere in a name.
    while let Some(at) = name.to_ascii_lowercase().find("_vti_") {
        name.replace_range(at + 4..at + 5, "-");
    }
    let lower = name.to_ascii_lowercase();
    let is_port = lower.len() == 4
        && (lower.starts_with("com") || lower.starts_with("lpt"))
        && lower.ends_with(|c: char| c.is_ascii_digit());
    if is_port || RESERVED.contains(&lower.as_str()) {
        name.push(INSTEAD);
    }
    let is_changed = name != text;
    (name, is_changed)
}

/// Makes a path of folders and the stem of a file fit: `site` is how many characters stand before it. The longest names lose their
/// middle, and the file keeps `id` so that two files do not become one. `extension` has its dot.
///
/// # Errors
/// [`PathTooLong`].
pub fn fit(
    folders: &[String],
    stem: &str,
    extension: &str,
    id: &str,
    site: usize,
) -> Result<Vec<String>, PathTooLong> {
    let mut names: Vec<String> = folders.iter().map(|name| shortened(name, LONGEST_NAME)).collect();
    names.push(stem.to_owned());
    let last = names.len() - 1;
    let ending = length(extension);
    let mut is_shortened = names[..last] != *folders;
    if length(stem) + ending > LONGEST_NAME {
        names[last] = with_id(stem, id, LONGEST_NAME - ending);
        is_shortened = true;
    }
    loop {
        let total = site + names.iter().map(|name| 1 + length(name)).sum::<usize>() + ending;
        let excess = total.saturating_sub(NAME_AND_LIBRARY);
        if excess == 0 && (!is_shortened || names[last].ends_with(&format!("({id})"))) {
            break;
        }
        is_shortened = true;
        if excess == 0 {
            // A folder was shortened, which another path may share from now on.
            let longest = LONGEST_NAME - ending;
            names[last] = with_id(stem, id, longest);
            continue;
        }
        let (at, longest) =
            names.iter().map(|name| length(name)).enumerate().max_by_key(|(_, n)| *n).unwrap_or_default();
        if longest <= SHORTEST {
            return Err(PathTooLong);
        }
        let to = longest.saturating_sub(excess).max(SHORTEST);
        names[at] = if at == last { with_id(stem, id, to) } else { shortened(&names[at], to) };
    }
    names[last].push_str(extension);
    Ok(names)
}

/// As SharePoint counts.
fn length(name: &str) -> usize {
    name.encode_utf16().count()
}

/// The stem with the id, in at most so many characters.
fn with_id(stem: &str, id: &str, most: usize) -> String {
    let id = format!(" ({id})");
    let stem = stem.strip_suffix(&id).unwrap_or(stem);
    format!("{}{id}", shortened(stem, most.saturating_sub(length(&id)).max(1)))
}

/// The text without its middle, in at most so many characters.
fn shortened(text: &str, most: usize) -> String {
    if length(text) <= most {
        return text.to_owned();
    }
    let characters: Vec<char> = text.chars().collect();
    let kept = |characters: &mut dyn Iterator<Item = &char>, most: usize| -> Vec<char> {
        let mut used = 0;
        let fits = |c: &&char| {
            used += c.len_utf16();
            used <= most
        };
        characters.take_while(fits).copied().collect()
    };
    let half = most.saturating_sub(1) / 2;
    let head = kept(&mut characters.iter(), most.saturating_sub(1) - half);
    let tail = kept(&mut characters.iter().rev(), half);
    let head: String = head.into_iter().collect();
    let tail: String = tail.into_iter().rev().collect();
    // A space at the end of a name is refused, and before the sign it looks like a mistake.
    format!("{}…{}", head.trim_end(), tail.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // G12, G13, G15
    #[test]
    fn a_name_has_no_character_that_sharepoint_refuses_or_takes_for_another() {
        for (text, name) in [
            ("Sales", "Sales"),
            ("R&#D", "R&_D"),
            ("R&##D", "R&_#D"),
            ("Test#1", "Test#1"),
            ("A%2FB", "A_2FB"),
            ("100 %", "100 _"),
            (r#"a"b*c:d<e>f?g/h\i|j"#, "a_b_c_d_e_f_g_h_i_j"),
            ("  Sales. . ", "Sales"),
            ("~$Sales", "_$Sales"),
            ("x_vti_y", "x_vti-y"),
            ("_vti_vti_", "_vti-vti_"),
            ("CON", "CON_"),
            ("com7", "com7_"),
            ("common", "common"),
            ("Forms", "Forms_"),
            ("..", "_"),
            ("", "_"),
            ("a\nb\u{202e}c", "a bc"),
            ("Übersicht – Öl", "Übersicht – Öl"),
        ] {
            assert_eq!(clean(text), (name.to_owned(), name != text), "{text:?}");
        }
    }

    fn names(count: usize, length: usize) -> Vec<String> {
        (0..count).map(|n| format!("{n}{}", "x".repeat(length - 1))).collect()
    }

    fn whole(path: &[String], site: usize) -> usize {
        site + path.iter().map(|name| 1 + length(name)).sum::<usize>()
    }

    // G23
    #[test]
    fn a_long_path_loses_the_middle_of_its_longest_names_and_the_file_keeps_its_id() {
        let stem = format!("{}end", "y".repeat(117));
        let path = fit(&names(9, 40), &stem, ".pdf", "1a2b3c4d", 27).unwrap();
        assert!(whole(&path, 27) <= NAME_AND_LIBRARY, "{path:?}");
        let file = path.last().unwrap();
        assert!(
            file.ends_with("end (1a2b3c4d).pdf") && file.starts_with("yyy") && file.contains('…'),
            "{file}"
        );
        assert!(path.iter().any(|name| name.starts_with('8') || name.starts_with('0')));

        let short = fit(&names(2, 10), "Sales", ".pdf", "1a2b3c4d", 27).unwrap();
        assert_eq!(short, ["0xxxxxxxxx", "1xxxxxxxxx", "Sales.pdf"]);

        let long = fit(&[], &"z".repeat(244), ".pdf", "1a2b3c4d", 0).unwrap();
        assert_eq!((long.len(), length(&long[0])), (1, LONGEST_NAME));
        assert!(long[0].ends_with(" (1a2b3c4d).pdf"), "{long:?}");

        let folder = fit(&["f".repeat(300)], "Sales", ".pdf", "1a2b3c4d", 0).unwrap();
        assert_eq!((length(&folder[0]), folder[1].as_str()), (LONGEST_NAME, "Sales (1a2b3c4d).pdf"));

        assert_eq!(fit(&names(40, 30), "Sales", ".pdf", "1a2b3c4d", 27), Err(PathTooLong));
    }

    proptest! {
        #[test]
        fn any_name_becomes_one_that_can_be_used_and_stays_it(text: String) {
            let (name, _) = clean(&text);
            prop_assert!(!name.is_empty() && !name.contains("&#") && !name.ends_with(['.', ' ']) && !name.starts_with([' ', '~']));
            prop_assert!(!name.contains(['"', '*', ':', '<', '>', '?', '/', '\\', '|', '%']));
            prop_assert_eq!(clean(&name), (name, false));
        }

        #[test]
        fn a_path_fits_or_is_refused(folders in prop::collection::vec("[a-zé😀 ]{1,260}", 0..12), stem in "[a-zé😀]{1,260}", site in 0_usize..120) {
            if let Ok(path) = fit(&folders, &stem, ".pdf", "1a2b3c4d", site) {
                prop_assert!(whole(&path, site) <= NAME_AND_LIBRARY);
                prop_assert!(path.iter().all(|name| length(name) <= LONGEST_NAME));
                prop_assert!(path.last().is_some_and(|name| name.ends_with(".pdf")));
            }
        }
    }
}
