//! Error notes of failed refresh jobs.
//!
//! Modelled on real notes: a driver's error inside Java exceptions. Hosts, users and objects are invented.

/// SQL Server refused the ODBC login.
pub const SQL_SERVER_LOGIN: &str = "java.lang.RuntimeException: [Microsoft][ODBC Driver 17 for SQL Server][SQL Server]Login failed for user 'svc_tableau'.\nInvalid username or password.\nUnable to connect to the server \"sql-finance-01.corp.example.com\". Check that the server is running and that you have access privileges to the requested database.";

/// Snowflake refused the user name or password.
pub const SNOWFLAKE_LOGIN: &str = "com.tableausoftware.nativeapi.exceptions.DataSourceException: [Snowflake][Snowflake] (4) \nREST request for URL https://example-eu1.snowflakecomputing.com:443/session/v1/login-request failed: CURLerror (curl_easy_perform() failed) - code=22\nIncorrect username or password was specified.\nUnable to connect to the Snowflake server \"example-eu1.snowflakecomputing.com\".";

/// PostgreSQL does not listen (connection refused).
pub const POSTGRES_REFUSED: &str = "com.tableausoftware.nativeapi.exceptions.DataSourceException: connection to server at \"pg-ops.corp.example.com\" (10.20.4.17), port 5432 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\nUnable to connect to the PostgreSQL server \"pg-ops.corp.example.com\".";

/// PostgreSQL does not answer (timeout).
pub const POSTGRES_TIMEOUT: &str = "com.tableausoftware.nativeapi.exceptions.DataSourceException: connection to server at \"pg-ops.corp.example.com\" (10.20.4.17), port 5432 failed: Connection timed out (0x0000274C/10060)\n\tIs the server running on that host and accepting TCP/IP connections?";

/// The refresh exceeded the site's time limit.
pub const QUERY_TIME_LIMIT: &str = "com.tableausoftware.server.status.reporting.TableauRuntimeException: The query time resource limit (7200 seconds) was exceeded.";

/// A column no longer exists.
pub const MISSING_COLUMN: &str = "com.tableausoftware.nativeapi.exceptions.DataSourceException: [Microsoft][ODBC Driver 17 for SQL Server][SQL Server]Invalid column name 'region_code'.\nThe table \"[dbo].[fact_orders]\" does not exist or a column was renamed.";

/// A table no longer exists, or its permission was revoked.
pub const MISSING_TABLE: &str = "com.tableausoftware.nativeapi.exceptions.DataSourceException: [Snowflake][Snowflake] (4) \nSQL compilation error:\nObject 'ANALYTICS.SALES.FACT_PIPELINE' does not exist or not authorized.";

/// Tableau Bridge does not run.
pub const BRIDGE_NOT_CONNECTED: &str = "Tableau Bridge: no client is connected to the pool \"Head office\". The refresh could not be started. Make sure that at least one Bridge client of the pool is running and signed in.";

/// The disk for extracts is full.
pub const NO_SPACE: &str = "com.tableausoftware.nativeapi.exceptions.DataSourceException: Insufficient disk space: unable to write the temporary extract \"Temp/TableauTemp/1p4q8ff0vfrh8x15m4o8i0v3n6dj\".";

/// A saved OAuth token was revoked or expired.
pub const OAUTH_EXPIRED: &str = "com.tableausoftware.domain.exceptions.OAuthException: The saved OAuth credentials for 'ana@example.com' were rejected by the provider: invalid_grant, the refresh token has expired or was revoked. Edit the connection and sign in again.";

/// All notes, each with its short name.
pub const ALL: [(&str, &str); 10] = [
    ("sql-server-login", SQL_SERVER_LOGIN),
    ("snowflake-login", SNOWFLAKE_LOGIN),
    ("postgres-refused", POSTGRES_REFUSED),
    ("postgres-timeout", POSTGRES_TIMEOUT),
    ("query-time-limit", QUERY_TIME_LIMIT),
    ("missing-column", MISSING_COLUMN),
    ("missing-table", MISSING_TABLE),
    ("bridge-not-connected", BRIDGE_NOT_CONNECTED),
    ("no-space", NO_SPACE),
    ("oauth-expired", OAUTH_EXPIRED),
];
