//! Recognises ordinary words that follow the name of a secret: "the password is wrong", "Token: it has expired".

use super::words::{is_one_of, is_one_of_in_any_case};

const WORDS: &str = "\
    a about absent access account after against all already an and any are as at authentication authorization \
    bad be been before blank but by can cannot check connection contact could database denied did does due \
    either empty error expired failed failure field for format found from given has have he if in incorrect \
    incorrectly invalid is it its key length locked login longer made malformed may mismatch missing must needs \
    neither never new no none nor not now null of old older on only optional or out password permission please \
    policy refresh required revoked role see sent server session set should signature so specified than that the \
    there this to token too type unable unauthorized unknown unsupported used user username valid value was were \
    when which will with wrong you your case-sensitive changing comply complying contain containing contains default \
    enforced hidden identical illegal long match matching matches masked max maximum min minimum mandatory nearly outdated \
    plain present reset safe same short still strong temporarily too unavailable under unset until up updated weak within \
    according depending instead yet on hold protected secure good fine ok okay";

/// Words for the state of a secret, in several languages and in lower case. They are no secrets, not even after `=`.
const STATES: &str = "\
    absent bad blank deleted denied disabled empty expired incorrect inactive invalid locked malformed mismatch mismatched \
    missing rejected required revoked stale unavailable unknown unset unspecified unsupported wrong \
    falsch ungültig ungueltig abgelaufen leer fehlt fehlend fehlerhaft inkorrekt gesperrt erforderlich unbekannt notwendig \
    verweigert nicht kein keine bereits noch zurückgesetzt geändert gelöscht benötigt veraltet \
    expiré expirée expire invalide incorrecte manquant manquante vide requis requise faux fausse erroné erronée refusé refusée \
    bloqué bloquée obligatoire inconnu inconnue périmé périmée révoqué révoquée déjà pas mauvais \
    incorrecto incorrecta inválido inválida invalido invalida caducado caducada vencido vencida vacío vacía faltante requerido \
    requerida erróneo errónea equivocado equivocada bloqueado bloqueada desconocido desconocida obligatorio obligatoria ha \
    incorreto incorreta expirado expirada expirou errado errada vazio vazia ausente obrigatório obrigatória não foi está \
    errato errata scaduto scaduta mancante vuoto vuota sbagliato sbagliata richiesto richiesta valido valida non bloccato bloccata \
    onjuist ongeldig verlopen verkeerd ontbreekt leeg vereist onbekend geblokkeerd niet is \
    nieprawidłowe nieprawidłowy błędne błędny wygasło wygasł puste brak wymagane nieznane \
    felaktigt felaktig fel ogiltigt ogiltig saknas forkert ugyldig ugyldigt udløbet utløpt mangler feil tomt \
    yanlış geçersiz hatalı boş gerekli eksik špatné neplatné chybné prázdné vypršelo hibás érvénytelen lejárt \
    неверный неверен неправильный недействителен недействительный истек истёк просрочен пустой отсутствует не \
    無効 無効です 期限切れ 期限切れです 不正 不正です 間違い 間違っています 必須 必須です 空 错误 無效 无效 过期 已过期 不正确 為空 为空 缺失 오류 \
    만료 만료됨 잘못됨 틀림 없음";

/// A length in bytes that is longer than every word in [`STATES`].
const STATE_LIMIT: usize = 48;

/// Placeholders that stand where there is no secret, or where it was already hidden.
const NO_SECRETS: &str = "\
    yes no true false null none nil undefined empty (null) hidden redacted removed masked n/a not";

/// Whether a word is an ordinary word of a sentence. Such a word consists of letters.
pub(super) fn is_ordinary(word: &str) -> bool {
    let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
    let is_written_so = word.chars().skip(1).all(|c| c.is_ascii_lowercase() || c == '-');
    let is_upper = word.chars().all(|c| c.is_ascii_uppercase());
    if word.is_empty() {
        return false;
    }
    ((is_written_so || is_upper) && is_one_of_in_any_case(WORDS, word)) || is_state(word)
}

/// Whether a value is a word for the state of a secret: `falsch`, `expiré`, `INVALID`.
pub(super) fn is_state(word: &str) -> bool {
    let is_edge = |c: char| c.is_ascii_punctuation() || matches!(c, '。' | '、' | '．' | '«' | '»');
    let word = word.trim_matches(is_edge);
    let is_written_so =
        word.chars().skip(1).all(|c| !c.is_uppercase()) || word.chars().all(|c| !c.is_lowercase());
    let is_of_letters = word.len() <= STATE_LIMIT && word.chars().all(char::is_alphabetic);
    !word.is_empty() && is_written_so && is_of_letters && is_one_of(STATES, &word.to_lowercase())
}

/// Whether a value is a placeholder and no secret: `YES`, `null`, `***`, `<hidden>`.
pub(super) fn is_no_secret(value: &str) -> bool {
    let value = value.trim_matches(|c: char| c.is_whitespace() || "()[]<>{}\"'.,;:!?".contains(c));
    let mut chars = value.chars();
    let mask = chars.next().filter(|c| matches!(c, '*' | '•' | 'x' | 'X' | '#' | '…' | '.' | '-' | '_'));
    let is_masked = mask.is_some_and(|mask| chars.all(|c| c == mask));
    value.is_empty() || is_masked || is_state(value) || is_one_of_in_any_case(NO_SECRETS, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_sentences_are_no_secrets() {
        for word in ["invalid", "Expired.", "The", "IS", "wrong,"] {
            assert!(is_ordinary(word), "{word}");
        }
        for word in ["hunter", "hunter2", "wRong", "the1", "", "correct"] {
            assert!(!is_ordinary(word), "{word}");
        }
        for value in
            ["YES", "null)", "****", "", "<hidden>", "xxxx", "falsch", "Expiré", "INVALID", "期限切れです。"]
        {
            assert!(is_no_secret(value), "{value}");
        }
        assert!(!is_no_secret("yes2") && !is_no_secret("*x*x*"));
    }
}
