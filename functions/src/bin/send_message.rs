//! The binary of [`windi_functions::send_message`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::send_message::main()
}
