//! The binary of [`windi_functions::connect`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::connect::main()
}
