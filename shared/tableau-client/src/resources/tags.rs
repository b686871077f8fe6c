//! Tags of workbooks, data sources and views.

use super::segment;
use crate::call::{Call, Path};
use crate::{Error, TableauClient, lenient};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tableau::Subject;

#[derive(Deserialize)]
struct Tag {
    #[serde(deserialize_with = "lenient::name")]
    label: String,
}

impl TableauClient {
    /// Adds tags to an object and returns all of its tags. Existing tags are kept. REST API 2.0+ (data sources 2.6+,
    /// views 2.8+); JWT scopes `tableau:workbook_tags:update`, `tableau:datasource_tags:update`,
    /// `tableau:view_tags:update`, 3.27+.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an object that is not a workbook, data source or view, and for a tag with a quotation
    /// mark. [`Error::Refused`] with code 404006, 404004 or 404011 when the object does not exist, 403004 without the
    /// rights.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm#add_tags_to_workbook>,
    /// <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_data_sources.htm#add_tags_to_data_source>
    pub async fn add_tags(&self, subject: &Subject, tags: &[&str]) -> Result<Vec<String>, Error> {
        const OPERATION: &str = "add the tags";
        let path = format!("{}/tags", tagged(OPERATION, subject)?);
        let body = json!({ "tags": { "tag": labels(OPERATION, tags)? } });
        let answer: Map<String, Value> = self.ask(Call::put(OPERATION, Path::Site(&path), &body)).await?;
        let tags: Vec<Tag> = lenient::list(&answer, &["tags"], "tag")
            .map_err(|source| Error::Unreadable { operation: OPERATION, source })?;
        Ok(tags.into_iter().map(|tag| tag.label).collect())
    }

    /// Adds tags to several objects at once. If one object does not exist, no object gets the tags. REST API 3.9+;
    /// JWT scope `tableau:tags:batch_create`, 3.27+.
    ///
    /// # Errors
    /// As for [`TableauClient::add_tags`].
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm#batch_add_tags>
    pub async fn add_tags_to_all(&self, subjects: &[Subject], tags: &[&str]) -> Result<(), Error> {
        const OPERATION: &str = "add the tags to all";
        let labels = labels(OPERATION, tags)?;
        let mut contents = Vec::with_capacity(subjects.len());
        for subject in subjects {
            let (kind, luid) = match subject {
                Subject::Workbook(luid) => ("Workbook", luid.as_str()),
                Subject::Datasource(luid) => ("Datasource", luid.as_str()),
                Subject::View(luid) => ("View", luid.as_str()),
                _ => return Err(Error::Invalid { operation: OPERATION, reason: HAVE_TAGS }),
            };
            contents.push(json!({ "contentType": kind, "id": luid }));
        }
        let body = json!({ "tagBatch": { "tags": { "tag": labels }, "contents": { "content": contents } } });
        self.run(Call::put(OPERATION, Path::Site("tags:batchCreate"), &body)).await
    }

    /// Removes a tag from an object. REST API 2.0+ (data sources 2.6+, views 2.8+); JWT scopes
    /// `tableau:workbook_tags:delete`, `tableau:datasource_tags:delete`, `tableau:view_tags:delete`, 3.27+.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an object that is not a workbook, data source or view, and for a tag that cannot be
    /// part of a path: empty, `.` and `..`. [`Error::Refused`] with code 404007 when the object does not have this
    /// tag, 404006, 404004 or 404011 when the object does not exist.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm#delete_tag_from_workbook>
    pub async fn remove_tag(&self, subject: &Subject, tag: &str) -> Result<(), Error> {
        const OPERATION: &str = "remove the tag";
        let path = format!("{}/tags/{}", tagged(OPERATION, subject)?, segment(OPERATION, tag)?);
        self.run(Call::delete(OPERATION, Path::Site(&path)).gone_with("404007")).await
    }
}

const HAVE_TAGS: &str = "only workbooks, data sources and views have tags";

/// Puts each tag in quotation marks: otherwise Tableau would end it at the first space or comma.
fn labels(operation: &'static str, tags: &[&str]) -> Result<Vec<Value>, Error> {
    if tags.iter().any(|tag| tag.contains('"')) {
        return Err(Error::Invalid { operation, reason: "a tag cannot hold a quotation mark" });
    }
    Ok(tags.iter().map(|tag| json!({ "label": format!("\"{tag}\"") })).collect())
}

fn tagged(operation: &'static str, subject: &Subject) -> Result<String, Error> {
    match subject {
        Subject::Workbook(luid) => Ok(format!("workbooks/{luid}")),
        Subject::Datasource(luid) => Ok(format!("datasources/{luid}")),
        Subject::View(luid) => Ok(format!("views/{luid}")),
        _ => Err(Error::Invalid { operation, reason: HAVE_TAGS }),
    }
}
