//! Lineage: which workbooks use which data sources. Also finds the LUID for the number in a browser's address.

use super::{MetadataAnswer, OPERATION};
use crate::{Error, TableauClient, lenient};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tableau::{DatasourceLuid, Subject, UserLuid, WorkbookLuid};

/// A workbook or data source that is connected with another one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lineage<L> {
    /// The object's LUID.
    pub luid: L,
    /// The object's name: untrusted text.
    #[serde(deserialize_with = "lenient::name")]
    pub name: String,
    /// The name of the object's project (without the projects around it).
    #[serde(default, deserialize_with = "lenient::text")]
    pub project_name: Option<String>,
    /// The owner of the object.
    #[serde(default, deserialize_with = "lenient::part")]
    pub owner: Option<LineageOwner>,
}

/// An owner, as the Metadata API describes one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LineageOwner {
    /// The owner's LUID, if it was asked for.
    #[serde(default, deserialize_with = "lenient::part")]
    pub luid: Option<UserLuid>,
    /// The owner's display name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// The owner's e-mail address.
    #[serde(default, deserialize_with = "lenient::text")]
    pub email: Option<String>,
}

impl LineageOwner {
    /// What tells this owner from others: the LUID, or else the e-mail address or the name. `None` if Tableau shows
    /// none of them.
    pub(super) fn key(&self) -> Option<&str> {
        let luid = self.luid.as_ref().map(UserLuid::as_str);
        let texts = [luid, self.email.as_deref(), self.name.as_deref()];
        texts.into_iter().flatten().find(|text| !text.is_empty())
    }
}

const DOWNSTREAM: &str = "query downstream($luid: String!) { publishedDatasources(filter: {luid: $luid}) { \
                          downstreamWorkbooks { luid name projectName owner { name email } } } }";
const UPSTREAM: &str = "query upstream($luid: String!) { workbooks(filter: {luid: $luid}) { \
                        upstreamDatasources { luid name projectName owner { name email } } } }";
const WORKBOOK: &str =
    "query workbook($number: String!) { workbooks(filter: {vizportalUrlId: $number}) { luid } }";
const DATASOURCE: &str =
    "query datasource($number: String!) { publishedDatasources(filter: {vizportalUrlId: $number}) { luid } }";

#[derive(Deserialize)]
struct Found<T> {
    luid: T,
}

/// The number after `…/workbooks/` or `…/datasources/` in a browser's address. The flag says which of the two it is.
fn number_in(address: &str) -> Option<(bool, &str)> {
    let (workbook, rest) = match (address.split_once("/workbooks/"), address.split_once("/datasources/")) {
        (Some((_, rest)), None) => (true, rest),
        (None, Some((_, rest))) => (false, rest),
        _ => return None,
    };
    let number = rest.split(|c: char| !c.is_ascii_digit()).next().filter(|number| !number.is_empty())?;
    let after = rest[number.len()..].chars().next();
    after.is_none_or(|c| "/?#".contains(c)).then_some((workbook, number))
}

/// The elements of a list in an answer. If the list is `null`, the answer's errors say why.
pub(super) fn nodes<'a>(
    answer: &MetadataAnswer<Value>,
    at: &'a Value,
    name: &str,
) -> Result<&'a [Value], Error> {
    match at.get(name) {
        Some(Value::Array(nodes)) => Ok(nodes),
        Some(Value::Null) if !answer.errors.is_empty() => {
            Err(Error::Metadata { operation: OPERATION, errors: answer.errors.clone() })
        }
        found => {
            let shape = found.map_or("it is missing", lenient::shape);
            let source = lenient::expected(&format!("a list at `{name}`"), shape);
            Err(Error::Unreadable { operation: OPERATION, source })
        }
    }
}

fn read<T: DeserializeOwned>(nodes: &[Value], name: &str) -> Result<Vec<T>, Error> {
    lenient::read_some(nodes, name).map_err(|source| Error::Unreadable { operation: OPERATION, source })
}

impl TableauClient {
    /// Lists the workbooks that use a data source. JWT scope `tableau:content:read`; needs the Metadata API.
    ///
    /// # Errors
    /// The same as for [`TableauClient::metadata`]. Partial data is returned together with its errors.
    ///
    /// Source: <https://help.tableau.com/current/api/metadata_api/en-us/docs/meta_api_examples.html>
    pub async fn downstream_workbooks(
        &self,
        datasource: &DatasourceLuid,
    ) -> Result<MetadataAnswer<Vec<Lineage<WorkbookLuid>>>, Error> {
        self.lineage(DOWNSTREAM, datasource.as_str(), "publishedDatasources", "downstreamWorkbooks").await
    }

    /// Lists the published data sources that a workbook uses. JWT scope `tableau:content:read`; needs the Metadata
    /// API.
    ///
    /// # Errors
    /// As for [`TableauClient::downstream_workbooks`].
    ///
    /// Source: the same as for [`TableauClient::downstream_workbooks`].
    pub async fn upstream_datasources(
        &self,
        workbook: &WorkbookLuid,
    ) -> Result<MetadataAnswer<Vec<Lineage<DatasourceLuid>>>, Error> {
        self.lineage(UPSTREAM, workbook.as_str(), "workbooks", "upstreamDatasources").await
    }

    /// Finds the workbook or data source that a browser shows at `address`, such as
    /// `https://10ay.online.tableau.com/#/site/marketing/workbooks/8/views`. The number in such an address is not a
    /// LUID. `None` if the address shows something else or the index does not know the object. JWT scope
    /// `tableau:content:read`; needs the Metadata API.
    ///
    /// # Errors
    /// As for [`TableauClient::metadata`].
    ///
    /// Source: as for [`TableauClient::downstream_workbooks`].
    pub async fn shown_at(&self, address: &str) -> Result<Option<Subject>, Error> {
        let Some((is_workbook, number)) = number_in(address) else { return Ok(None) };
        let variables = json!({ "number": number });
        Ok(if is_workbook {
            let answer = self.metadata::<Value>(WORKBOOK, &variables).await?;
            let found: Vec<Found<WorkbookLuid>> =
                read(nodes(&answer, &answer.data, "workbooks")?, "workbooks")?;
            found.into_iter().next().map(|found| Subject::Workbook(found.luid))
        } else {
            const NAME: &str = "publishedDatasources";
            let answer = self.metadata::<Value>(DATASOURCE, &variables).await?;
            let found: Vec<Found<DatasourceLuid>> = read(nodes(&answer, &answer.data, NAME)?, NAME)?;
            found.into_iter().next().map(|found| Subject::Datasource(found.luid))
        })
    }

    async fn lineage<L: DeserializeOwned>(
        &self,
        query: &str,
        luid: &str,
        of: &str,
        line: &str,
    ) -> Result<MetadataAnswer<Vec<Lineage<L>>>, Error> {
        let answer = self.metadata::<Value>(query, &json!({ "luid": luid })).await?;
        let mut data = Vec::new();
        for end in nodes(&answer, &answer.data, of)? {
            data.extend(read(nodes(&answer, end, line)?, line)?);
        }
        Ok(MetadataAnswer { data, errors: answer.errors })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_number() {
        for (address, number) in [
            ("https://10ay.online.tableau.com/#/site/marketing/workbooks/8/views", Some((true, "8"))),
            ("https://tableau.example.com/#/datasources/123?x=1", Some((false, "123"))),
            ("https://tableau.example.com/#/datasources/123", Some((false, "123"))),
            ("https://tableau.example.com/#/views/Superstore/Overview", None),
            ("https://tableau.example.com/#/workbooks/8a", None),
            ("https://tableau.example.com/#/workbooks/", None),
            ("/workbooks/1/datasources/2", None),
            ("", None),
        ] {
            assert_eq!(number_in(address), number, "{address}");
        }
    }
}
