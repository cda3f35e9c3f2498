//! The binary of [`windi_functions::login`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::login::main()
}
