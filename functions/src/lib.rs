//! The messenger's Lambda functions. One file each, one thin door each in `src/bin/`, one entry each in `template.yaml`,
//! all four of one name.
//!
//! Over HTTP: [`register`], [`login`], [`session`], [`users`], [`chats`], [`members`], [`messages`], [`history`], [`search`],
//! [`health`].
//!
//! Over the WebSocket: [`authorize`], [`connect`], [`disconnect`], [`send_message`], [`mark_read`], [`typing`], [`focus`],
//! [`default`].
//!
//! What they share:
//!
//! * [`http`]: a request's body, path and caller in, JSON or an error out.
//! * [`socket`]: who sent a frame, and the answer API Gateway wants.
//! * [`push`]: frames to connections; one that is gone is forgotten.
//! * [`presence`]: who is told what, and who is there.
//! * [`sending`] and [`reading`]: a message stored, a cursor moved, and told, whichever way it came.
//! * [`door`]: what every binary does before it serves.
//!
//! Each handler takes just the clients it uses. One state with all of them would cost every binary the code of all of
//! them: the linker drops only what is not reached.

pub mod door;
pub mod http;
pub mod presence;
pub mod push;
pub mod reading;
pub mod sending;
pub mod socket;

pub mod authorize;
pub mod chats;
pub mod connect;
pub mod default;
pub mod disconnect;
pub mod focus;
pub mod health;
pub mod history;
pub mod login;
pub mod mark_read;
pub mod members;
pub mod messages;
pub mod register;
pub mod search;
pub mod send_message;
pub mod session;
pub mod typing;
pub mod users;

macro_rules! functions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// Every function there is: the only list in Rust. A test holds it against `template.yaml` and `src/bin/`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Function {
            $($(#[$doc])* $variant,)*
        }

        impl Function {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name of its module, its binary and its entry in the template.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The function of this name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|function| function.name() == name)
            }
        }
    };
}

functions! {
    /// See [`authorize`].
    Authorize = "authorize",
    /// See [`chats`].
    Chats = "chats",
    /// See [`connect`].
    Connect = "connect",
    /// See [`default`].
    Default = "default",
    /// See [`disconnect`].
    Disconnect = "disconnect",
    /// See [`focus`].
    Focus = "focus",
    /// See [`health`].
    Health = "health",
    /// See [`history`].
    History = "history",
    /// See [`login`].
    Login = "login",
    /// See [`mark_read`].
    MarkRead = "mark_read",
    /// See [`members`].
    Members = "members",
    /// See [`messages`].
    Messages = "messages",
    /// See [`register`].
    Register = "register",
    /// See [`search`].
    Search = "search",
    /// See [`send_message`].
    SendMessage = "send_message",
    /// See [`session`].
    Session = "session",
    /// See [`typing`].
    Typing = "typing",
    /// See [`users`].
    Users = "users",
}
