//! The texts of all mails.

use windi_shared::auth::code::{Code, LIFETIME_MINUTES};

/// A mail without its addresses. The subject is plain ASCII on one line.
#[derive(Debug, Clone)]
pub struct Letter {
    pub subject: &'static str,
    pub text: String,
}

/// A code for a new password.
pub fn forgotten(code: &Code) -> Letter {
    let code = code.readable();
    let text = format!(
        "Hello,\n\n\
        somebody has asked for a new password for your account.\n\n\
        Your code: {code}\n\n\
        It works once, within {LIFETIME_MINUTES} minutes. Enter it where you asked for it, with\n\
        your e-mail address and a new password. All your devices are then logged\n\
        out.\n\n\
        If you did not ask for it, do nothing: your password stays as it is, and\n\
        the code stops working by itself. Give the code to nobody.\n"
    );
    Letter { subject: "Your code for a new password", text }
}

/// A code that confirms a new address.
pub fn confirmation(code: &Code) -> Letter {
    let code = code.readable();
    let text = format!(
        "Hello,\n\n\
        somebody has asked to use this e-mail address for their account.\n\n\
        Your code: {code}\n\n\
        It works once, within {LIFETIME_MINUTES} minutes. Enter it in the settings, where you\n\
        asked for it.\n\n\
        If you did not ask for it, do nothing: without the code, nobody can use\n\
        your address. Give the code to nobody.\n"
    );
    Letter { subject: "Confirm your e-mail address", text }
}

/// To the owner of an address that somebody else wants to use.
pub fn taken() -> Letter {
    let text = "Hello,\n\n\
        somebody has asked to use this e-mail address for their account, but you\n\
        have an account with it already. Nothing has changed.\n\n\
        If that was you, use another address, or log in with this one. If you\n\
        have forgotten the password, ask for a new one where you log in. If it\n\
        was not you, do nothing.\n";
    Letter { subject: "You have an account with this address", text: text.to_owned() }
}

/// To the address that an account had before.
pub fn moved() -> Letter {
    let text = "Hello,\n\n\
        your account has another e-mail address now, and this one does not belong\n\
        to it any more.\n\n\
        If that was not you, somebody knows your password and has your account.\n\
        Log in with your username, if you have one, change the password, and end\n\
        all other sessions. If you cannot, tell whoever runs the messenger.\n";
    Letter { subject: "Your e-mail address was changed", text: text.to_owned() }
}
