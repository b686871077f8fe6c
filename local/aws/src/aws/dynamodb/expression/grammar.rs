//! The grammar of condition expressions: operators, functions, parentheses.

use super::super::super::Refusal;
use super::super::value::Value;
use super::condition::{Comparator, Condition, Operand};
use super::parser::{Parser, Placeholders};
use super::token::Token;

impl Condition {
    /// Parses a condition expression. `what` is the name of the request member, for error texts.
    pub(crate) fn parse(
        what: &'static str,
        text: &str,
        placeholders: &mut Placeholders,
    ) -> Result<Self, Refusal> {
        let mut parser = Parser::new(what, text, placeholders)?;
        let condition = or(&mut parser)?;
        parser.end()?;
        Ok(condition)
    }
}

/// Parses one or more terms joined by `keyword` (`AND`, `OR`).
fn parts(
    parser: &mut Parser<'_>,
    keyword: &str,
    part: fn(&mut Parser<'_>) -> Result<Condition, Refusal>,
    join: fn(Vec<Condition>) -> Condition,
) -> Result<Condition, Refusal> {
    let first = part(parser)?;
    if !parser.peek().is_some_and(|token| token.is_keyword(keyword)) {
        return Ok(first);
    }
    let mut all = vec![first];
    while parser.keyword(keyword) {
        all.push(part(parser)?);
    }
    Ok(join(all))
}

fn or(parser: &mut Parser<'_>) -> Result<Condition, Refusal> {
    parts(parser, "OR", and, Condition::Or)
}

fn and(parser: &mut Parser<'_>) -> Result<Condition, Refusal> {
    parts(parser, "AND", not, Condition::And)
}

fn not(parser: &mut Parser<'_>) -> Result<Condition, Refusal> {
    parser.enter()?;
    let condition = if parser.keyword("NOT") {
        Condition::Not(Box::new(not(parser)?))
    } else if parser.sign("(") {
        let opened_at = parser.position();
        let inner = or(parser)?;
        // DynamoDB refuses redundant parentheses such as `((a))`, but accepts `((a) OR b)`.
        if parser.is_one_group(opened_at..parser.position()) {
            return Err(parser.refuse("The expression has redundant parentheses;"));
        }
        parser.expect_sign(")")?;
        inner
    } else {
        primary(parser)?
    };
    parser.leave();
    Ok(condition)
}

fn primary(parser: &mut Parser<'_>) -> Result<Condition, Refusal> {
    let start = parser.position();
    match parser.function() {
        Some("size") => parser.step_back(start),
        Some(function) => return call(parser, function),
        None => {}
    }
    let left = operand(parser)?;
    if parser.keyword("BETWEEN") {
        let low = operand(parser)?;
        if !parser.keyword("AND") {
            return Err(parser.syntax_error());
        }
        let high = operand(parser)?;
        if let (Operand::Value(low), Operand::Value(high)) = (&low, &high) {
            check_bounds(parser, low, high)?;
        }
        return Ok(Condition::Between(left, low, high));
    }
    if parser.keyword("IN") {
        parser.expect_sign("(")?;
        let mut choices = vec![operand(parser)?];
        while parser.sign(",") {
            choices.push(operand(parser)?);
        }
        parser.expect_sign(")")?;
        return Ok(Condition::In(left, choices));
    }
    let comparator = match parser.peek() {
        Some(Token::Sign(sign)) => Comparator::of(sign),
        _ => None,
    };
    let comparator = comparator.ok_or_else(|| parser.syntax_error())?;
    parser.take();
    let right = operand(parser)?;
    if let (Operand::Path(one), Operand::Path(other)) = (&left, &right)
        && one == other
    {
        return Err(parser.refuse(
            "The first operand must be distinct from the remaining operands for this operator or function;",
        ));
    }
    Ok(Condition::Compare(left, comparator, right))
}

fn check_bounds(parser: &Parser<'_>, low: &Value, high: &Value) -> Result<(), Refusal> {
    if low.kind() != high.kind() {
        let kinds =
            format!("lower bound operand type: {}, upper bound operand type: {}", low.kind(), high.kind());
        return Err(parser.refuse(format_args!(
            "The BETWEEN operator requires same data type for lower and upper bounds; {kinds}"
        )));
    }
    if low > high {
        return Err(parser.refuse(
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound;",
        ));
    }
    Ok(())
}

fn operand(parser: &mut Parser<'_>) -> Result<Operand, Refusal> {
    if let Some(value) = parser.value()? {
        return Ok(Operand::Value(value));
    }
    let start = parser.position();
    match parser.function() {
        Some("size") => {
            let path = parser.path()?;
            parser.expect_sign(")")?;
            Ok(Operand::Size(path))
        }
        Some(_) => {
            parser.step_back(start);
            Err(parser.syntax_error())
        }
        None => Ok(Operand::Path(parser.path()?)),
    }
}

fn call(parser: &mut Parser<'_>, function: &str) -> Result<Condition, Refusal> {
    let known = ["attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"];
    if !known.contains(&function) {
        return Err(parser.refuse(format_args!("Invalid function name; function: {function}")));
    }
    let path = parser.path()?;
    let condition = match function {
        "attribute_exists" => Condition::Exists(path),
        "attribute_not_exists" => Condition::NotExists(path),
        _ => {
            parser.expect_sign(",")?;
            let second = operand(parser)?;
            match (function, second) {
                ("contains", second) => Condition::Contains(path, second),
                ("attribute_type", Operand::Value(Value::S(kind))) => Condition::IsOfType(path, kind),
                ("begins_with", second @ (Operand::Path(_) | Operand::Value(Value::S(_) | Value::B(_)))) => {
                    Condition::BeginsWith(path, second)
                }
                (_, Operand::Value(value)) => {
                    let kind = value.kind();
                    return Err(parser.refuse(format_args!(
                        "Incorrect operand type for operator or \
                        function; operator or function: {function}, operand type: {kind}"
                    )));
                }
                _ => return Err(parser.syntax_error()),
            }
        }
    };
    parser.expect_sign(")")?;
    Ok(condition)
}
