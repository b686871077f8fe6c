//! The people of a Slack workspace.

/// E-mail address and name of the people that every workspace starts with: those of the sample site of Tableau.
const SAMPLE: [(&str, &str); 6] = [
    ("bea@example.com", "Bea Larsson"),
    ("ana@example.com", "Ana Ferreira"),
    ("jonas@example.com", "Jonas Weber"),
    ("priya@example.com", "Priya Nair"),
    ("marcus@example.com", "Marcus O'Brien"),
    ("yuki@example.com", "Yuki Tanaka"),
];

#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) name: String,
    pub(super) is_deactivated: bool,
}

#[derive(Debug)]
pub(super) struct People {
    people: Vec<Person>,
    /// Whether the app has the scope of the lookup.
    pub(super) is_allowed: bool,
    /// The addresses that were looked up, oldest first, with those that were refused.
    pub(super) lookups: Vec<String>,
}

impl Default for People {
    fn default() -> Self {
        let mut people = Self { people: Vec::new(), is_allowed: true, lookups: Vec::new() };
        for (email, name) in SAMPLE {
            people.add(email, name);
        }
        people
    }
}

impl People {
    /// Adds a person, or changes the name of the one with this address. Returns the id.
    pub(super) fn add(&mut self, email: &str, name: &str) -> String {
        if let Some(known) = self.people.iter_mut().find(|person| person.email.eq_ignore_ascii_case(email)) {
            name.clone_into(&mut known.name);
            known.is_deactivated = false;
            return known.id.clone();
        }
        let id = format!("U{:010}", self.people.len() + 1);
        self.people.push(Person {
            id: id.clone(),
            email: email.to_owned(),
            name: name.to_owned(),
            is_deactivated: false,
        });
        id
    }

    /// The id of the person with this address.
    pub(super) fn id(&self, email: &str) -> Option<String> {
        self.find(email).map(|person| person.id.clone())
    }

    /// Deactivates the account of a person. Returns whether there is one.
    pub(super) fn deactivate(&mut self, email: &str) -> bool {
        let found = self.people.iter_mut().find(|person| person.email.eq_ignore_ascii_case(email));
        found.map(|person| person.is_deactivated = true).is_some()
    }

    /// Removes a person.
    pub(super) fn remove(&mut self, email: &str) {
        // The address is taken away and the entry kept, so that no id is given twice.
        self.people
            .iter_mut()
            .filter(|person| person.email.eq_ignore_ascii_case(email))
            .for_each(|person| person.email.clear());
    }

    /// The person with this address.
    pub(super) fn find(&self, email: &str) -> Option<&Person> {
        self.people.iter().find(|person| !email.is_empty() && person.email.eq_ignore_ascii_case(email))
    }
}
