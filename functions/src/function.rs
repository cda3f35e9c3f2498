//! The list of functions.

/// All functions. The text form is the name of the function's file, its binary and (apart from capitals) its resource
/// in the template; a test compares them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Function {
    Authorize,
    Chats,
    Connect,
    Default,
    Disconnect,
    Files,
    Focus,
    Health,
    History,
    Invites,
    Login,
    MarkRead,
    Members,
    Messages,
    Migrate,
    Recover,
    Register,
    Search,
    SendMessage,
    Session,
    Subscriptions,
    Typing,
    Users,
    Web,
}
