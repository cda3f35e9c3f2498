//! The binary of [`windi_functions::chats`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::chats::main()
}
