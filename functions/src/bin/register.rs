//! The binary of [`windi_functions::register`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::register::main()
}
