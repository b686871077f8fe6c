//! Error notes of refreshes and other technical texts keep what a reader needs when secrets are removed.

use plain_text::without_secrets;
use std::fs;

/// Notes of failed refreshes of 20 kinds of data source, rebuilt with invented names; the file says where each was reported.
/// None has a secret.
#[test]
fn the_notes_of_failed_refreshes_keep_every_word() {
    let notes = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/failure-notes.tsv")).unwrap();
    let rows: Vec<Vec<&str>> = notes.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), 59);
    let changed = rows.iter().filter_map(|row| {
        let note = row[2].replace("\\n", "\n");
        let shown = without_secrets(&note);
        (shown != note).then(|| format!("{}: {note}\n→ {shown}", row[0]))
    });
    let changed: Vec<String> = changed.collect();
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}

#[test]
fn names_ids_and_sentences_about_secrets_stay() {
    for text in [
        "FACT_SALES_DAILY_AGGREGATE_2026 DIM_CUSTOMER_SNAPSHOT_20261128 v_rpt_fin_mthly_cmpny_xref_2024Q3 STG_SAP_BKPF_BSEG_2026_11",
        "com.tableausoftware.nativeapi.exceptions.DataSourceException net.snowflake.client.jdbc.SnowflakeSQLLoggedException",
        "oracle.jdbc.driver.T4CTTIoer11.processError org.apache.hadoop.hive.ql.exec.vector.VectorizedRowBatchCtx",
        "/var/opt/tableau/tableau_server/data/tabsvc/vizqlserver/temp/20251.24.1023.0950/extract_8f3a.hyper",
        r#"Insufficient disk space: unable to write the temporary extract "Temp/TableauTemp/1p4q8ff0vfrh8x15m4o8i0v3n6dj"."#,
        r#"No space left on device: C:\ProgramData\Tableau\Temp\TableauTemp\1p4q8ff0vfrh8x15m4o8i0v3n6dj.hyper"#,
        "cannot create /var/opt/tableau/temp/0hgpf0j1fdpvv316shikk0mmdlec and /tmp/0hgpf0j1fdpvv316shikk0mmdlec/x: disk full",
        r#"C:\ProgramData\Tableau\Tableau Server\data\tabsvc\logs\backgrounder_node1-0.log.2026-11-28"#,
        "01b2c3d4-0000-1234-0000-0001deadbeef queryId=01b2c3d4-0000-1234-0000-0001deadbeef (Session ID: 1234567890)",
        "adb-1111111111111111.11.azuredatabricks.net ip-10-0-0-1.eu-west-1.compute.internal cluster1.cabc123xyz456.eu-west-1.redshift.amazonaws.com",
        "[Microsoft][ODBC Driver 17 for SQL Server][SQL Server]Login failed for user 'svc_bi'. (18456) SQLSTATE 28000",
        "ORA-12154: TNS:could not resolve the connect identifier specified (CONNECT_DATA=(SERVICE_NAME=sales.example.com)(CID=(PROGRAM=tabprotosrv)(HOST=node1)(USER=tableau)))",
        "arn:aws:iam::123456789012:role/TableauExtractReader-eu-west-1-prod s3://bucket/path/to/file_2026-11-28.parquet",
        r#"bquxjob_5ffa1b8c_18c0f4d3b2a 2026-11-28T14:10:05.123456Z Duplicate key value violates unique constraint "orders_pkey" Key (order_id)=(12345) already exists."#,
        r#"Table "SALES"."ORDERS_ARCHIVE" has 3 tokens; Unexpected token 'FROM' at line 3; the password is wrong; JWT token is invalid; token expired"#,
        "The access token is missing a required scope. Token has expired; refresh the token. Credentials: the user was not found",
        "Invalid username or password. Account locked: too many failed password attempts (5). Password expired on 2026-11-01.",
        "Driver=SQL Server;Server=db1.example.com,1433;Database=Sales;Uid=svc;Encrypt=yes;TrustServerCertificate=no",
        "https://kb.tableau.com/articles/issue/error-operation-cancelled-query-time-resource-limit-7200-refreshing-tableau-online-extract",
        "https://example.com:8443/path (see https://help.tableau.com/current/server/en-us/adminview_backgrnd.htm).",
        "Owner ana.ruiz@example.com of finance@example.com; mailto:ana@example.com 'svc'@'203.0.113.7' user@host",
        "java.sql.SQLException: Io exception at oracle.jdbc.driver.DatabaseError.throwSqlException(DatabaseError.java:112) com.x.Foo@1b2c3d4f",
        "RequestId: 4442587FB7D0A2F9 HTTP 403 ErrorCode: AccessDenied; primary key: id; KeyError: 'amount'; sort key = date",
        r#"SELECT "customer_key", token_type FROM t WHERE product_key = 12 -- begin transaction"#,
        "Error Code: B19A2463 Unable to connect. guid '5FDD8805A3CD7B49807519B96E168578'",
        "0x00007FFD12345678 0xC0000005 sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "Verwenden Sie ein gültiges Kennwort; le mot de passe est incorrect; パスワードが正しくありません。",
        r#"password authentication failed for user "svc_bi"; Password must be changed before login; the PIN is required"#,
        "Snowflake: Incorrect username or password was specified. Session no longer exists. New login required. Authentication token has expired. The user must authenticate again.",
        "CERTIFICATE_VERIFY_FAILED: unable to get local issuer certificate (_ssl.c:1006); SSLHandshakeException: PKIX path building failed",
        "aws-glue-sessions AwsDataCatalog.sales_lakehouse_curated.orders_v2$iceberg_snapshot",
        "Databricks: [DELTA_CONCURRENT_APPEND.WITHOUT_HINT] Transaction conflict. SQLSTATE: 2D521; spark.databricks.delta.properties.defaults",
        r#"TableauRuntimeException: 2026.2.0.18945-hyper-db Datasource "Orders & Returns (2026)" http status = 404; code=22; state=08001"#,
        r#"Publishing: "Sales – Q3", 100% of 5,000 rows; a/b testing; and/or; 24/7@work"#,
    ] {
        assert_eq!(without_secrets(text), text);
    }
}

/// What is left of each kind for a reader.
#[test]
fn what_is_removed_leaves_the_rest_readable() {
    for (note, shown) in [
        ("PWD=hunter2;Port=1", "PWD=[removed];Port=1"),
        ("Password = hunter2", "Password = [removed]"),
        ("password: hunter2", "password: [removed]"),
        (r#"{"password":"hunter2"}"#, r#"{"password":"[removed]"}"#),
        (r#"{"password" : "hunter2 and more"}"#, r#"{"password" : "[removed]"}"#),
        ("postgres://svc:hunter2@db/sales", "postgres://[removed]@db/sales"),
        ("jdbc:x://svc:p@ss:hunter2@db:5432 failed", "jdbc:x://[removed]@db:5432 failed"),
        ("AccountKey=hunter2==;End", "AccountKey=[removed];End"),
        ("PWD={hun;ter2};hunter=1", "PWD=[removed];hunter=1"),
        (r#"Password="hun ter2" x"#, r#"Password="[removed]" x"#),
        ("sig=hunter2&se=1, token=hunter2", "sig=[removed]&se=[removed], token=[removed]"),
        ("PWD=hun ter2;Port=1", "PWD=[removed];Port=1"),
        ("PWD={a}}b;hunter2};Port=1", "PWD=[removed];Port=1"),
        (
            "Unable to load URL: https://bucket.s3.amazonaws.com/a/b.csv?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F2026&X-Amz-Signature=hunter2. Check it.",
            "Unable to load URL: https://bucket.s3.amazonaws.com/a/b.csv?[removed]. Check it.",
        ),
        (
            r#"<https://x.example/y?foo=hunter2>, "https://x.example/y#hunter2"; (https://x.example/a;m=hunter2)"#,
            r#"<https://x.example/y?[removed]>, "https://x.example/y#[removed]"; (https://x.example/a;[removed])"#,
        ),
        (
            r#"https%3A%2F%2Fx.example%2Fy%3Ffoo%3Dhunter2 and {"url":"https:\/\/x.example\/y?foo=hunter2","error":"timeout"}"#,
            r#"https%3A%2F%2Fx.example%2Fy%3F[removed] and {"url":"https:\/\/x.example\/y?[removed]","error":"timeout"}"#,
        ),
        ("GET /y?foo=hunter2&z=1 HTTP/1.1", "GET /y?[removed] HTTP/1.1"),
        (
            "Authorization: Basic aHVudGVyMjpodW50ZXIy failed with 401",
            "Authorization: [removed] failed with 401",
        ),
        (
            "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=hunter2 then text",
            "Authorization: [removed] then text",
        ),
        (r#"Authorization: Snowflake Token="hunter2 x""#, "Authorization: [removed]"),
        (
            r#"Authorization: Digest username="svc", realm="x y", response="hunter2""#,
            "Authorization: [removed]",
        ),
        (
            r#"bearer hunter2 was refused; Bearer token is invalid; Bearer realm="x""#,
            r#"bearer [removed] was refused; Bearer token is invalid; Bearer realm="x""#,
        ),
        ("Set-Cookie: sid=hunter2; Path=/; HttpOnly Login failed", "Set-Cookie: [removed] Login failed"),
        ("Cookie: a=hunter2; b=hunter2", "Cookie: [removed]"),
        (
            "sqlplus scott/hunter2 @x; scott/hunter2@db failed; jdbc:oracle:thin:scott/hunter2@//db:1521/x",
            "sqlplus scott/[removed] @x; scott/[removed]@db failed; jdbc:oracle:thin:scott/[removed]@//db:1521/x",
        ),
        (r#"connect scott/"hunter 2"@db"#, r#"connect scott/"[removed]"@db"#),
        (
            r#"CREATE USER svc IDENTIFIED BY "hunter2" x; identified with mysql_native_password by 'hunter2'"#,
            r#"CREATE USER svc IDENTIFIED BY "[removed]" x; identified with mysql_native_password by '[removed]'"#,
        ),
        (
            "ALTER USER svc WITH PASSWORD 'hunter2'; COPY t CREDENTIALS 'aws_secret=hunter2'",
            "ALTER USER svc WITH PASSWORD '[removed]'; COPY t CREDENTIALS '[removed]'",
        ),
        ("SECRET_ACCESS_KEY 'hunter2' for x", "SECRET_ACCESS_KEY '[removed]' for x"),
        (
            r#"<password>hunter2</password> <wsse:Password Type="t">hunter2 b</wsse:Password> <key>password</key><string>hunter2</string>"#,
            r#"<password>[removed]</password> <wsse:Password Type="t">[removed]</wsse:Password> <key>password</key><string>[removed]</string>"#,
        ),
        (
            "<property name=\"db.password\" value=\"hunter2\"/> <entry key=\"password\">hunter2</entry> <name>password</name>\n<value>hunter2</value>",
            "<property name=\"db.password\" value=\"[removed]\"/> <entry key=\"password\">[removed]</entry> <name>password</name>\n<value>[removed]</value>",
        ),
        (
            r#"{"name":"password","value":"hunter2"} [('password', 'hunter2')] {'password': 'hunter2'} {password=hunter2, user=svc}"#,
            r#"{"name":"password","value":"[removed]"} [('password', '[removed]')] {'password': '[removed]'} {password=[removed], user=svc}"#,
        ),
        (
            "--password hunter2 -p hunter2 --token=hunter2 -u svc:hunter2 -p 5432",
            "--password [removed] -p [removed] --token=[removed] -u svc:[removed] -p 5432",
        ),
        ("mysql -usvc -phunter2 -h db", "mysql -usvc -p[removed] -h db"),
        (
            "the password is hunter2. the password is wrong. Password: correct horse battery staple. Next",
            "the password is [removed]. the password is wrong. Password: [removed]. Next",
        ),
        ("Password:\nhunter2\nUnable to connect", "Password:\n[removed]\nUnable to connect"),
        ("password: |\n  hunter2 x\n  y", "password: |\n  [removed]"),
        (
            "passcode=hunter2 client_assertion=hunter2 client_assertion_type=urn:x",
            "passcode=[removed] client_assertion=[removed] client_assertion_type=urn:x",
        ),
        (
            r#""{\"password\":\"hunter2\"}" &quot;password&quot;:&quot;hunter2&quot; password%3Dhunter2%26x"#,
            r#""{\"password\":\"[removed]\"}" &quot;password&quot;:&quot;[removed]&quot; password%3D[removed]"#,
        ),
        ("pass\u{200b}word=hunter2 pa ss", "password=[removed] pa ss"),
        (
            "-----BEGIN PRIVATE KEY-----\nMIIEabcd\nhunter2\n-----END PRIVATE KEY-----\nUnable to connect",
            "[removed]\nUnable to connect",
        ),
        (r#"-----BEGIN PRIVATE KEY-----\nMIIEabcd\nhunter2"#, "[removed]"),
        (
            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDE\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDE\nhunterAB\nUnable",
            "[removed]\n[removed]\n[removed]\nUnable",
        ),
        (
            "パスワード：hunter2 Kennwort: hunter2 mot de passe : hunter2",
            "パスワード：[removed] Kennwort: [removed] mot de passe : [removed]",
        ),
        (
            r#"password changed to hunter2; Password (hunter2) setPassword("hunter2")"#,
            r#"password changed to [removed]; Password ([removed]) setPassword("[removed]")"#,
        ),
        ("https://hooks.slack.com/services/T024BE7LD/B0/hunter2 x", "https://hooks.slack.com/[removed] x"),
        (
            "guid '5FDD8805A3CD7B49807519B96E168578' key 5FDD8805A3CD7B49807519B96E168578",
            "guid '5FDD8805A3CD7B49807519B96E168578' key [removed]",
        ),
        ("ver:1-hint:123-ETMsDgAAAX hunter", "[removed] hunter"),
    ] {
        assert_eq!(without_secrets(note), shown);
    }
}

#[test]
fn names_that_tableau_generates_stay() {
    for text in [
        "Datasource federated.0hgpf0j1fdpvv316shikk0mmdlec is missing",
        "sqlproxy.1xk2j3h0abcd12efgh34 did not answer",
        "relation hyper.temp_1a2b3c4d5e6f does not exist",
        "cannot open Extract/federated_0hgpf0j1fdpvv316shikk0mmdl.hyper",
    ] {
        assert_eq!(without_secrets(text), text);
    }
    let with_key = "federated.0hgpf0j1fdpvv316shikk0mmdlec/qX7rT2vB9kLm4Wz8Yp1s";
    assert_eq!(without_secrets(with_key), "federated.0hgpf0j1fdpvv316shikk0mmdlec/[removed]");
}
