//! The list of functions.

/// Every function there is. As text it is the name of its file, its binary and (apart from capitals) its resource in the
/// template; a test compares them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Function {
    Authorize,
    Chats,
    Connect,
    Default,
    Disconnect,
    Focus,
    Health,
    History,
    Login,
    MarkRead,
    Members,
    Messages,
    Register,
    Search,
    SendMessage,
    Session,
    Typing,
    Users,
}
