//! The Metadata API: GraphQL queries over an index of all content. The index is updated with a delay, so it may not
//! know content that was just published.

mod dependents;
mod error;
mod lineage;

pub use dependents::{Dependent, Dependents};
pub use error::{MetadataCode, MetadataError};
pub use lineage::{Lineage, LineageOwner};

use crate::call::{Call, Path, foreign};
use crate::{Error, TableauClient, lenient};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const OPERATION: &str = "ask the Metadata API";

/// An answer of the Metadata API: data, errors, or both.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataAnswer<T> {
    /// The data; incomplete if there are errors too.
    pub data: T,
    /// The errors.
    pub errors: Vec<MetadataError>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Value,
    #[serde(default)]
    errors: Value,
}

impl TableauClient {
    /// Sends a query to the Metadata API. `T` is the type of the answer's `data`. Always available on Tableau Cloud;
    /// on Tableau Server only where it is switched on. No REST API version; JWT scope `tableau:content:read`.
    ///
    /// # Errors
    /// [`Error::Metadata`] when there are errors and no data: transient if one of them is temporary.
    /// [`Error::Foreign`] with status 404 where the Metadata API is switched off.
    ///
    /// Source: <https://help.tableau.com/current/api/metadata_api/en-us/>
    pub async fn metadata<T: DeserializeOwned>(
        &self,
        query: &str,
        variables: &Value,
    ) -> Result<MetadataAnswer<T>, Error> {
        let body = json!({ "query": query, "variables": variables });
        let answer: Answer = self.ask(Call::post(OPERATION, Path::Api("metadata/graphql"), &body)).await?;
        let unreadable = |source| Error::Unreadable { operation: OPERATION, source };
        let errors: Vec<MetadataError> = match &answer.errors {
            Value::Null => Vec::new(),
            Value::Array(errors) => lenient::read_some(errors, "errors").map_err(unreadable)?,
            other => return Err(unreadable(lenient::expected("a list at `errors`", lenient::shape(other)))),
        };
        if answer.data.is_null() && errors.is_empty() {
            return Err(foreign(OPERATION, 200, None, b"{"));
        }
        if answer.data.is_null() {
            return Err(Error::Metadata { operation: OPERATION, errors });
        }
        if !answer.data.is_object() {
            let shape = lenient::shape(&answer.data);
            return Err(unreadable(lenient::expected("an object at `data`", shape)));
        }
        let data = serde_path_to_error::deserialize(answer.data).map_err(|error| {
            let path = error.path().to_string();
            Error::Unreadable { operation: OPERATION, source: format!("data at `{path}`").into() }
        })?;
        Ok(MetadataAnswer { data, errors })
    }
}
