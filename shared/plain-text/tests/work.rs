//! The time for texts built to take long, and how many random words are recognised as secrets.

use plain_text::without_secrets;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// The length of the short texts, in bytes.
const LENGTH: usize = 2 * 1024;
/// How many short texts are as long as the long text.
const TIMES: usize = 16;
/// How much longer the long text may take than the same bytes in short texts. Linear work takes equally long;
/// quadratic work would take 16 times as long.
const TIMES_ALLOWED: u32 = 4;
/// How often the time is measured, since other programs run too.
const MEASUREMENTS: usize = 8;

/// Text pieces that, repeated, begin every kind of secret and never end it.
const HOSTILE: &[&str] = &[
    "a",
    "-",
    "=",
    "\"",
    "%25",
    "\\\\",
    "&amp;",
    "password=",
    "password= ",
    "password=\"",
    "=password=\"",
    "password=\"\"",
    "password=&a=",
    "password=\"@",
    "password=password\">",
    "password=\" ",
    "password='a'a ",
    "password=«",
    "password=«\n",
    "password={",
    "password={\"",
    "password=(",
    "password: {the ",
    "password: a. ",
    "password: a b c ",
    "password for a ",
    "password is the ",
    "password\n",
    "password:\n",
    "password: |\n  a\n",
    "password <",
    "<password",
    "<password>",
    "<a:password ",
    "password\">",
    "password</a>",
    "password,\"value\"",
    "(\"password\",",
    "key\"",
    "token ",
    "token - ",
    "token, ",
    "password-a ",
    "password is is ",
    "password was changed from a1b2c to ",
    "password is:",
    "password of a=",
    "key=",
    "secret 'a' ",
    "the secret a1b2 ",
    "arn:secret:",
    "pass=1 ",
    "sid=",
    "id=",
    "request id ",
    "code 1234 ",
    "code - ",
    " is your ",
    " is your code",
    "login a:",
    "user a / ",
    "credentials: a / ",
    "sqlcmd -P",
    "curl -u",
    "-u\", \"",
    "/p:",
    "net use ",
    "net use /user:a ",
    "isql ",
    "echo ",
    "echo a | sudo ",
    "<<<",
    "openrowset(",
    "openrowset('a';",
    "login('a',",
    "user a using ",
    "c=biws,r=abcdefgh,p=",
    "p=,",
    "SCRAM-SHA-",
    "{SSHA}",
    "$6$",
    "раsswоrd(\\\\",
    "(:раsswоrd",
    "sid={a}",
    "sid=(a)",
    "key={a}",
    "token(",
    "pin(",
    "(token",
    "echo «$6$",
    "openrowset(«sid=",
    "identified by «",
    "Private-Lines: 9",
    "Private-Lines: 9\n",
    "private-mac:",
    "раsswоrd",
    "раsswоrd ",
    "a\u{301}",
    "token|token ",
    "--password ",
    "-p -p",
    "-u a:",
    "mysql -p",
    "-a «",
    "://",
    "https://a:b/c@",
    "https://a?b=\"c ",
    "?a=",
    "a=1&",
    "&a=",
    "scott/tiger@",
    "scott/\"tiger\"@",
    "\"@",
    "identified by ",
    "identified ",
    "i",
    "bearer ",
    "basic ",
    "Authorization: a=\"",
    "Cookie: a=b; ",
    "-----BEGIN ",
    "-----BEGIN A-----\n",
    "-----END A-----\n",
    "-----BEGIN A----- -----END A----- ",
    "---- BEGIN",
    "eyJ",
    "eyJ.",
    "xoxb-xoxb-",
    "aB3/",
    "aB3_-.",
    "\u{200b}",
    "\u{1b}[",
    "é",
    "パスワード：",
];

fn time(texts: usize, text: &str) -> Duration {
    let start = Instant::now();
    for _ in 0..texts {
        black_box(without_secrets(black_box(text)));
    }
    start.elapsed()
}

#[test]
fn a_long_text_takes_as_long_as_the_same_in_short_ones_whatever_it_says() {
    for piece in HOSTILE {
        let short = piece.repeat(LENGTH / piece.len());
        let long = short.repeat(TIMES);
        let mut shortest = (Duration::MAX, Duration::MAX);
        let is_fair = (0..MEASUREMENTS).any(|_| {
            shortest = (shortest.0.min(time(TIMES, &short)), shortest.1.min(time(1, &long)));
            shortest.1 < shortest.0 * TIMES_ALLOWED
        });
        let (short, long) = shortest;
        assert!(
            is_fair,
            "{piece:?}: {short:?} for {TIMES} texts of {LENGTH} bytes, {long:?} for one as long as all"
        );
    }
}

/// Pseudo-random numbers, the same in every run.
struct Numbers(u64);

impl Numbers {
    /// Of xorshift64*. Source: <https://www.jstatsoft.org/article/view/v008i14>
    fn next_below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit
    }
}

#[test]
fn random_words_without_a_name_are_recognised_by_their_letters() {
    let lower = "abcdefghijklmnopqrstuvwxyz";
    let upper = lower.to_uppercase();
    let digits = "0123456789";
    let letters = format!("{lower}{upper}{digits}");
    // The alphabet, the length, and how many of a thousand may be missed.
    for (alphabet, length, missed) in [
        (format!("{letters}+/"), 40, 5),
        (format!("{letters}+/"), 32, 10),
        (format!("{letters}-_"), 43, 5),
        (letters.clone(), 20, 10),
        (letters, 32, 2),
        (format!("{lower}{digits}"), 25, 5),
        (format!("{upper}234567"), 32, 5),
        ("0123456789abcdef".to_owned(), 24, 2),
        ("0123456789ABCDEF".to_owned(), 32, 0),
        ("0123456789abcdef".to_owned(), 40, 0),
    ] {
        let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15 + length as u64);
        let alphabet: Vec<char> = alphabet.chars().collect();
        let mut word =
            || (0..length).map(|_| alphabet[numbers.next_below(alphabet.len())]).collect::<String>();
        let is_shown =
            |word: &String| without_secrets(&format!("Login failed for {word} on db")).contains(&word[..12]);
        let shown: Vec<String> = (0..1_000).map(|_| word()).filter(is_shown).collect();
        assert!(
            shown.len() <= missed,
            "{} of 1000 with {length} of {alphabet:?}: {:?}",
            shown.len(),
            shown.first()
        );
    }
}
