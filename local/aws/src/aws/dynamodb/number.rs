//! DynamoDB's numbers: exact decimals with up to 38 significant digits. No I/O.

use std::cmp::Ordering;
use std::fmt;

/// A decimal number in its shortest form: the `mantissa` has no trailing zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Number {
    mantissa: i128,
    exponent: i32,
}

/// Why DynamoDB does not accept a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotANumber {
    /// The text is not a decimal number.
    Text,
    /// The number has more than 38 significant digits.
    Digits,
    /// The magnitude is larger than 9.99…E+125 or smaller than 1E-130.
    Magnitude,
}

const MAX_DIGITS: u32 = 38;

fn digits(mantissa: i128) -> u32 {
    mantissa.unsigned_abs().checked_ilog10().map_or(0, |log| log + 1)
}

impl Number {
    pub(crate) const ZERO: Self = Self { mantissa: 0, exponent: 0 };

    fn new(mut mantissa: i128, mut exponent: i32) -> Result<Self, NotANumber> {
        if mantissa == 0 {
            return Ok(Self::ZERO);
        }
        while mantissa % 10 == 0 {
            mantissa /= 10;
            exponent = exponent.checked_add(1).ok_or(NotANumber::Magnitude)?;
        }
        let number = Self { mantissa, exponent };
        if digits(mantissa) > MAX_DIGITS {
            return Err(NotANumber::Digits);
        }
        if (-129..=126).contains(&number.magnitude()) { Ok(number) } else { Err(NotANumber::Magnitude) }
    }

    /// The number of digits before the decimal point.
    fn magnitude(&self) -> i64 {
        i64::from(self.exponent) + i64::from(digits(self.mantissa))
    }

    pub(crate) fn parse(text: &str) -> Result<Self, NotANumber> {
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().map_err(|_| NotANumber::Text)?),
            None => (text, 0),
        };
        let (negative, plain) = match number.as_bytes().first() {
            Some(b'-') => (true, &number[1..]),
            Some(b'+') => (false, &number[1..]),
            _ => (false, number),
        };
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotANumber::Text);
        }
        let significant = all.trim_start_matches('0');
        let short = significant.trim_end_matches('0');
        if short.len() > MAX_DIGITS as usize {
            return Err(NotANumber::Digits);
        }
        let mantissa: i128 =
            if short.is_empty() { 0 } else { short.parse().map_err(|_| NotANumber::Text)? };
        let shift = i64::try_from(significant.len() - short.len()).and_then(|zeros| {
            let fraction = i64::try_from(fraction.len())?;
            i32::try_from(i64::from(exponent) + zeros - fraction)
        });
        Self::new(if negative { -mantissa } else { mantissa }, shift.map_err(|_| NotANumber::Magnitude)?)
    }

    pub(crate) fn plus(self, other: Self) -> Result<Self, NotANumber> {
        if self.mantissa == 0 {
            return Ok(other);
        }
        if other.mantissa == 0 {
            return Ok(self);
        }
        let exponent = self.exponent.min(other.exponent);
        let aligned = |number: Self| {
            let shift = number.exponent.abs_diff(exponent);
            10_i128.checked_pow(shift).and_then(|factor| number.mantissa.checked_mul(factor))
        };
        let sum = aligned(self).zip(aligned(other)).and_then(|(a, b)| a.checked_add(b));
        Self::new(sum.ok_or(NotANumber::Digits)?, exponent)
    }

    pub(crate) fn minus(self, other: Self) -> Result<Self, NotANumber> {
        self.plus(Self { mantissa: -other.mantissa, ..other })
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = self.mantissa.signum();
        let by_sign = sign.cmp(&other.mantissa.signum());
        if by_sign.is_ne() || sign == 0 {
            return by_sign;
        }
        let by_magnitude = self.magnitude().cmp(&other.magnitude());
        let by_size = by_magnitude.then_with(|| {
            // Both numbers have the same magnitude and at most 38 digits, so aligning them does not exceed 38 digits.
            let exponent = self.exponent.min(other.exponent);
            let aligned = |n: &Self| {
                let factor = 10_i128.checked_pow(n.exponent.abs_diff(exponent)).unwrap_or(1);
                n.mantissa.unsigned_abs().saturating_mul(factor.unsigned_abs())
            };
            aligned(self).cmp(&aligned(other))
        });
        if sign > 0 { by_size } else { by_size.reverse() }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<usize> for Number {
    fn from(count: usize) -> Self {
        // The size of a collection in memory has far fewer than 38 digits.
        i128::try_from(count).ok().and_then(|count| Self::new(count, 0).ok()).unwrap_or(Self::ZERO)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs().to_string();
        let scale = self.exponent.unsigned_abs() as usize;
        if self.exponent >= 0 {
            return write!(f, "{sign}{digits}{}", "0".repeat(scale));
        }
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn numbers_have_one_form() {
        for (text, shown) in [
            ("007", "7"),
            ("1.50", "1.5"),
            ("-0", "0"),
            ("+12", "12"),
            ("1e3", "1000"),
            ("1.2E-3", "0.0012"),
            ("100", "100"),
            (".5", "0.5"),
        ] {
            assert_eq!(number(text).to_string(), shown);
        }
    }

    #[test]
    fn text_that_is_not_a_number_is_refused() {
        for text in ["", "-", "1.2.3", "abc", "1e", "0x1", "--1", " 1"] {
            assert_eq!(Number::parse(text), Err(NotANumber::Text), "{text:?}");
        }
        assert_eq!(Number::parse(&"1".repeat(39)), Err(NotANumber::Digits));
        assert_eq!(Number::parse("1e126"), Err(NotANumber::Magnitude));
        assert_eq!(Number::parse("1e-131"), Err(NotANumber::Magnitude));
        assert!(Number::parse("9.9999999999999999999999999999999999999E+125").is_ok());
        assert!(Number::parse("1E-130").is_ok());
    }

    #[test]
    fn sums_are_exact() {
        assert_eq!(number("0.1").plus(number("0.2")).unwrap(), number("0.3"));
        assert_eq!(number("1").minus(number("1.5")).unwrap(), number("-0.5"));
        assert_eq!(number("1e100").plus(number("1")), Err(NotANumber::Digits));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-+0-9.eE]{0,60}") {
            if let Ok(number) = Number::parse(&text) {
                prop_assert_eq!(Number::parse(&number.to_string()), Ok(number));
            }
        }

        #[test]
        fn order_and_sums_are_those_of_integers(a: i64, b: i64) {
            let x = number(&a.to_string());
            let y = number(&b.to_string());
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            let sum = (i128::from(a) + i128::from(b)).to_string();
            prop_assert_eq!(x.plus(y).unwrap().to_string(), sum);
        }
    }
}
