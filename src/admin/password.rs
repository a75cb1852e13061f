//! A password for somebody else: made here, or read from a pipe.
//! Must never be seen in a command line or a log.

use std::io::BufRead;

use secrecy::SecretString;

use super::AdminFault;
use crate::auth;

/// No letter that could be taken for another (Crockford's base 32).
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// With five bits each, 100 bits: nobody guesses it, and it can be read out on the telephone.
const LENGTH: usize = 20;

/// A password that nobody has had before.
pub(super) fn made() -> SecretString {
    let mut text = String::with_capacity(LENGTH + LENGTH / 5);
    for (nth, byte) in auth::random::<LENGTH>().iter().enumerate() {
        if nth > 0 && nth % 5 == 0 {
            text.push('-');
        }
        text.push(char::from(LETTERS[usize::from(byte % 32)]));
    }
    text.into()
}

/// The first line of what is piped in.
pub(super) fn read(input: &mut impl BufRead) -> Result<SecretString, AdminFault> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    let password = SecretString::from(line.trim_end_matches(['\r', '\n']));
    auth::check_length(&password, "the password").map_err(|refusal| AdminFault::Password(refusal.message))?;
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn a_made_password_is_long_legible_and_new() {
        let (one, two) = (made(), made());
        assert_ne!(one.expose_secret(), two.expose_secret());
        let groups: Vec<&str> = one.expose_secret().split('-').collect();
        assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [5; 4]);
        assert!(one.expose_secret().bytes().all(|byte| byte == b'-' || LETTERS.contains(&byte)));
    }

    #[test]
    fn a_piped_password_is_one_line_of_the_usual_length() {
        let piped = |text: &str| read(&mut text.as_bytes()).map(|password| password.expose_secret().to_owned());
        assert_eq!(piped("correct horse \r\nnext").unwrap(), "correct horse ");
        for wrong in ["", "\n", "short\n", &"x".repeat(1_025)] {
            assert!(matches!(piped(wrong), Err(AdminFault::Password(_))));
        }
    }
}
