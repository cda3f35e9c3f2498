//! The binary of [`windi_functions::messages`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::messages::main()
}
