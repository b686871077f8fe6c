//! The e-mail address of a person as Tableau names them.

use rules::Address;
use tableau_client::Owner;

/// The address of a person: the one given, or a sign-in name that is one.
///
/// # Errors
/// Why there is none, for people, without a full stop.
pub fn mail_address(person: Option<&Owner>) -> Result<Address, String> {
    let Some(person) = person else { return Err("Tableau does not say who it is".to_owned()) };
    let texts = [person.email.as_deref(), Some(person.login.as_str())];
    let mut given = texts.into_iter().flatten().map(str::trim).filter(|text| text.contains('@'));
    match given.clone().find_map(|text| Address::parse(text).ok()) {
        Some(address) => Ok(address),
        None if given.next().is_some() => {
            Err("the address that Tableau has is none that mail can be sent to".to_owned())
        }
        None => Err("Tableau has no address of this person".to_owned()),
    }
}
