//! Into how many segments a network cuts a text, as Twilio says in `num_segments`. It is counted here independently of the code that
//! is tested.

/// GSM 03.38: the basic table without letters and digits.
const SIGNS: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";
const DOUBLE: &str = "^{}\\[~]|€\u{c}";

pub(super) fn segments(text: &str) -> usize {
    let septets: Option<Vec<usize>> = text
        .chars()
        .map(|c| match c {
            _ if c.is_ascii_alphanumeric() || SIGNS.contains(c) => Some(1),
            _ if DOUBLE.contains(c) => Some(2),
            _ => None,
        })
        .collect();
    match septets {
        Some(sizes) => parts(&sizes, 160, 153),
        None => parts(&text.chars().map(char::len_utf16).collect::<Vec<_>>(), 70, 67),
    }
}

fn parts(sizes: &[usize], alone: usize, of_many: usize) -> usize {
    if sizes.iter().sum::<usize>() <= alone {
        return 1;
    }
    let mut left = of_many;
    let mut count = 1;
    for size in sizes {
        if *size > left {
            (count, left) = (count + 1, of_many);
        }
        left -= size;
    }
    count
}
