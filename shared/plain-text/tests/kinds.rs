//! The kinds of secrets that are removed from texts, and the text around them that stays.

use plain_text::{REMOVED, without_secrets};
use proptest::prelude::*;
use proptest::sample::select;

/// Each `S` between spaces or signs is a secret; the rest stays.
fn assert_only_secrets_go(shapes: &[&str]) {
    let shown: Vec<String> = shapes
        .iter()
        .filter_map(|shape| {
            let note = shape.replace('§', "tiger2026x");
            let line = without_secrets(&note);
            (line != shape.replace('§', REMOVED)).then(|| format!("{note}\n→ {line}"))
        })
        .collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
}

fn assert_stays(texts: &[&str]) {
    for text in texts {
        assert_eq!(without_secrets(text), *text);
    }
}

const SENTENCES: &[&str] = &[
    "password is: §",
    "the password is : §",
    "the password has been reset to §",
    "Your password has been reset to: §",
    "the new password for svc has been set to §",
    "new password will be §",
    "password was §",
    "password is now §",
    "the password was previously §",
    "password should be §",
    "password used was §",
    "the password you entered (§) is wrong",
    "Das Passwort lautet §",
    "Das Kennwort wurde auf § zurückgesetzt",
    "password - §",
    "password – §",
    "password/§",
    "password, §",
    "password; §",
    "password > §",
    "password --> §",
    "pwd-§",
];

const LOGINS: &[&str] = &[
    "user@corp:§@db",
    "svc@corp.example.com/§@db.example.com",
    "user=svc@corp/§",
    "logon denied for scott/§",
    "logon denied (scott/§)",
    "login svc:§",
    "user svc / §",
    "could not log in as svc / §",
    "credentials: §",
];

const COMMANDS: &[&str] = &[
    "curl --user=svc:§ https://x.example",
    "curl -u svc:§",
    "curl -u 'svc:§'",
    "curl -usvc:§",
    "[\"curl\", \"-u\", \"svc:§\"]",
    "mysql -h db -p§",
    "mysqldump -p§ db",
    "sqlcmd -Usvc -P§",
    "sqlcmd -U svc -P \"§\"",
    "C:\\bin\\sqlcmd.exe -P §",
    "bcp db.dbo.t out f -c -Usvc -P§",
    "net use z: \\\\srv\\share /user:corp\\svc §",
    "net use \\\\srv\\share § /user:corp\\svc",
    "net user svc § /add",
    "ldapsearch -D cn=x -w §",
    "ldapsearch -w§ -b dc",
    "bindpw §",
    "psql \"host=db password=§\"",
    "PGPASSWORD=§ psql",
    "sshpass -p § ssh",
    "sshpass -p§ ssh",
    "plink -pw § host",
    "keytool -storepass § -list",
    "openssl pkcs12 -passin §",
    "wget --http-password=§",
    "redis-cli -a §",
    "smbclient -U svc%§ //srv/share",
    "xfreerdp /p:§ /u:svc",
    "echo § | kinit svc",
    "ConvertTo-SecureString '§' -AsPlainText",
];

const STATEMENTS: &[&str] = &[
    "SET PASSWORD FOR 'svc' = '§'",
    "SET PASSWORD FOR svc@localhost = '§'",
    "OPENROWSET('SQLNCLI','server';'user';'§','SELECT 1')",
    "OPENROWSET(N'SQLNCLI', N'server'; N'user'; N'§', N'SELECT 1')",
    "OPENDATASOURCE('SQLNCLI','server';'user';'§').db.dbo.t",
    "EXEC sp_addlogin 'svc', '§'",
    "CONNECT TO db USER svc USING §",
    "getConnection(\"jdbc:x\", \"svc\", \"§\")",
    "SCRAM-SHA-256$4096:§",
    "c=biws,r=abcdefgh,p=§",
    "AccountKey=§;EndpointSuffix=core.windows.net",
    "AccountKey=§;End",
    "connect.sid=§",
    "sid=§",
    "JSESSIONID=§",
];

#[test]
fn a_password_in_a_sentence_a_login_a_command_or_a_statement_is_removed_and_the_rest_stays() {
    for shapes in [SENTENCES, LOGINS, COMMANDS, STATEMENTS] {
        assert_only_secrets_go(shapes);
    }
}

#[test]
fn a_mixed_word_is_no_name_of_a_secret_whatever_words_stand_before_it() {
    let text = "ORA-12541: TNS:no listener secret for user 'svc' is AAa0Aa Unable to connect";
    let shown = "ORA-12541: TNS:no listener secret for user 'svc' is [removed] Unable to connect";
    assert_eq!(without_secrets(text), shown);
}

#[test]
fn what_is_given_for_a_token_a_credential_or_a_clients_secret_is_no_name() {
    for text in [
        "The token '§' does not exist",
        "Personal access token '§' was deleted",
        "invalid token: § not found",
        "refresh_token § was not found",
        "client_secret: § does not exist",
        "Client secret '§' is disabled",
        "shared secret: § is not enabled",
        "The secret § is missing a symbol",
        "no such secret §",
    ] {
        for secret in ["a1b2c3d4e5", "hunter2x1", "abcd1234"] {
            let shown = without_secrets(&text.replace('§', secret));
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[test]
fn a_password_of_digits_is_removed_from_a_command_and_codes_of_errors_stay() {
    for text in ["curl -u svc:1234 x", "mysql --password 12345", "sshpass -p 12345 ssh", "sqlcmd -P 12345"] {
        assert!(without_secrets(text).contains("[removed]"), "{text}");
    }
    for text in
        ["confirmation code 53003", "login code: 18456", "recovery code: ORA-01555", "your code 0x80070005"]
    {
        assert_eq!(without_secrets(text), text);
    }
}

#[test]
fn the_private_lines_of_a_key_of_putty_are_removed() {
    let key = "PuTTY-User-Key-File-3: ssh-rsa\nPublic-Lines: 1\nAAAA\nPrivate-Lines: 2\nAAAAhunter2x+/\nhunter2x==\nPrivate-MAC: 01ab23cd";
    let shown = "PuTTY-User-Key-File-3: ssh-rsa\nPublic-Lines: 1\nAAAA\nPrivate-Lines: 2\n[removed]\nPrivate-MAC: [removed]";
    assert_eq!(without_secrets(key), shown);
    let cut_off = "Private-Lines: 2\nAAAAhunter2x+/\nhunter2x";
    assert_eq!(without_secrets(cut_off), "Private-Lines: 2\n[removed]");
}

#[test]
fn a_name_in_letters_that_look_like_latin_ones_or_with_a_slip_is_the_same_name() {
    for name in [
        "pаsswоrd",
        "ｐａｓｓｗｏｒｄ",
        "𝐩𝐚𝐬𝐬𝐰𝐨𝐫𝐝",
        "ⓟⓐⓢⓢⓦⓞⓡⓓ",
        "pássword",
        "ѕесrеt",
        "tοken",
        "pass word",
        "pswd",
        "psswd",
        "passwrd",
        "passowrd",
        "passkey",
        "pword",
    ] {
        for tie in ["=", ": ", " is "] {
            let note = format!("{name}{tie}hunter2x");
            assert!(!without_secrets(&note).contains("hunter2x"), "{note}");
        }
    }
}

#[test]
fn a_code_for_one_sign_in_is_removed_and_the_code_of_an_error_stays() {
    for note in [
        "one-time code 482913",
        "one time code is 482913",
        "your verification code is 482913",
        "OTP 482913",
        "PIN: 482913",
        "security code: 482913",
        "2FA code 482913",
        "482913 is your verification code",
        "Enter the code 482913",
        "verification code - 482913",
        "one-time password 482913",
    ] {
        assert!(!without_secrets(note).contains("482913"), "{note}");
    }
    assert_stays(&[
        "error code 482913",
        "exit code 137",
        "status code: 403",
        "403 is the status code",
        "PIN is required",
        "pin=5",
    ]);
}

#[test]
fn keys_of_tables_counts_ids_and_names_of_secrets_stay() {
    assert_stays(&[
        "join on key: order_id",
        "region_key = 'EMEA'",
        "customer_key = 'C-1001'",
        "date_key=20261128",
        "foreign key customer_id",
        "pass=12 fail=3",
        "pass: 1200, fail: 33",
        "Correlation ID: 3fa85f6457174562b3fc2c963f66afa6",
        "x-ms-request-id: q7rT2vB9kLm4Wz8Yp1sX",
        "trace_id=4bf92f3577b34da6a3ce929d0e0e4736",
        "\"requestId\":\"q7rT2vB9kLm4Wz8Yp1sX\"",
        "ticket=INC0012345",
        "resource: arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/warehouse-AbCdEf",
        "The secret 'prod/warehouse' was not found",
        "Secret prod/warehouse-2 does not exist",
        "svc_tableau@CORP.EXAMPLE.COM",
        "HTTP/host.example.com@CORP",
        "hive/node1.example.com@EXAMPLE.COM",
        "(CONNECT_DATA=(SID=ORCL2)(SERVER=DEDICATED))",
        "docker run -p 8080:80 image2",
        "mkdir -p /data/x1",
    ]);
}

#[test]
fn the_state_of_a_password_stays_in_the_languages_of_vendors() {
    assert_stays(&[
        "Passwort: falsch",
        "Kennwort ist abgelaufen",
        "Le mot de passe est expiré",
        "Mot de passe : incorrect",
        "Contraseña: incorrecta",
        "senha: incorreta",
        "пароль: неверный",
        "パスワード：無効",
        "password: incorrect",
        "password=expired",
        "\"password\": \"expired\"",
        "token: expired",
        "The password for user svc has expired",
        "the password for user svc2 was changed",
        "password must be at least 8 characters",
        "password authentication failed for user \"svc\"",
        "wrong password, code 18456",
        "invalid password - ORA-01017",
    ]);
}

const BEFORE: [&str; 4] =
    ["", "Login failed: ", "Command failed with exit code 1: ", "ORA-12541: TNS:no listener\n"];
const BEHIND: [&str; 4] =
    ["", ". Next line", "\nUnable to connect to the server.", "\n\nThe table is locked"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_secret_in_a_sentence_login_command_or_statement_never_shows_whatever_is_around_it(
        shape in select([SENTENCES, LOGINS, COMMANDS, STATEMENTS].concat()),
        secret in "[A-Za-z]{3,6}[0-9]{1,4}[a-z]{2,6}[!$^*~+]?[a-z]{0,3}",
        before in select(BEFORE.as_slice()), behind in select(BEHIND.as_slice()),
    ) {
        let note = format!("{before}{}{behind}", shape.replace('§', &secret));
        let line = without_secrets(&note);
        prop_assert!(!line.contains(&secret), "{}\n→\n{}", note, line);
        prop_assert!(line.contains(REMOVED));
    }
}
