//! The knowledge files, one for each kind of source.

/// A file of `sources/`, with its name and its text.
macro_rules! file {
    ($name:literal) => {
        ($name, include_str!(concat!("sources/", $name)))
    };
}

/// What is printed around a cause.
pub(super) const WRAPPERS: &str = include_str!("sources/wrappers.txt");
/// Tableau's closing sentences.
pub(super) const CLOSING: &str = include_str!("sources/closing.txt");
/// All files with patterns, by name.
pub(super) const FILES: &[(&str, &str)] = &[
    file!("athena.txt"),
    file!("aws.txt"),
    file!("azure_data_explorer.txt"),
    file!("azure_entra.txt"),
    file!("bigquery.txt"),
    file!("box_dropbox.txt"),
    file!("bridge.txt"),
    file!("clickhouse.txt"),
    file!("cubes.txt"),
    file!("databricks.txt"),
    file!("db2.txt"),
    file!("denodo.txt"),
    file!("dremio.txt"),
    file!("duckdb_motherduck.txt"),
    file!("elasticsearch.txt"),
    file!("exasol.txt"),
    file!("general.txt"),
    file!("google_analytics_ads.txt"),
    file!("google_sheets_drive.txt"),
    file!("hive_impala.txt"),
    file!("hyper.txt"),
    file!("informix_netezza.txt"),
    file!("kerberos.txt"),
    file!("microsoft_files.txt"),
    file!("mongodb.txt"),
    file!("mysql.txt"),
    file!("onedrive_sharepoint.txt"),
    file!("oracle.txt"),
    file!("postgresql.txt"),
    file!("redshift.txt"),
    file!("s3_files.txt"),
    file!("salesforce.txt"),
    file!("sap_bw.txt"),
    file!("sap_hana.txt"),
    file!("servicenow_marketo_apps.txt"),
    file!("snowflake.txt"),
    file!("splunk.txt"),
    file!("sql.txt"),
    file!("sqlserver.txt"),
    file!("sybase.txt"),
    file!("tableau.txt"),
    file!("teradata.txt"),
    file!("text_files.txt"),
    file!("trino.txt"),
    file!("vertica.txt"),
    file!("web_connector.txt"),
];
