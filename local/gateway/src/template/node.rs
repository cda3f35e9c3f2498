//! YAML with line numbers, and the few intrinsic functions that can be resolved without deploying anything.

use std::collections::BTreeMap;

use saphyr::{MarkedYaml, Scalar, YamlData};

/// A line and the problem there. Callers further up add the path.
#[derive(Debug)]
pub(super) struct At(pub(super) usize, pub(super) String);
pub(super) type Read<T> = Result<T, At>;
pub(super) type Node<'a> = MarkedYaml<'a>;

/// The values that `!Ref` and `!Sub` can take: the defaults of parameters, and the pseudo parameters.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    pub(super) fn of(root: &Node<'_>) -> Read<Self> {
        let pseudo = [
            ("AWS::AccountId", crate::aws::ACCOUNT),
            ("AWS::Partition", "aws"),
            ("AWS::Region", crate::aws::REGION),
            ("AWS::StackName", "local"),
            ("AWS::URLSuffix", "amazonaws.com"),
        ];
        let mut names: BTreeMap<_, _> = pseudo.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        if let Some(parameters) = find(root, "Parameters") {
            for (name, parameter) in entries(parameters)? {
                if let Some(default) = find(parameter, "Default").and_then(scalar) {
                    names.insert(name.to_owned(), default);
                }
            }
        }
        Ok(Self(names))
    }

    /// The text of a node, which may be written out or be a `!Ref` or `!Sub` of known names.
    pub(super) fn text(&self, node: &Node<'_>) -> Read<String> {
        match intrinsic(node) {
            None => text_of(node).map(str::to_owned),
            Some(("Ref", name)) => self.value(text_of(name)?, node),
            Some(("Sub", pattern)) => self.substitute(text_of(pattern)?, node),
            Some((other, _)) => Err(wrong(
                node,
                format!("!{other} is not understood here; use text, or !Ref or !Sub of a parameter with a Default"),
            )),
        }
    }

    fn value(&self, name: &str, node: &Node<'_>) -> Read<String> {
        self.0.get(name).cloned().ok_or_else(|| {
            wrong(node, format!("{name:?} has no value before deployment; give a parameter of that name a Default"))
        })
    }

    fn substitute(&self, pattern: &str, node: &Node<'_>) -> Read<String> {
        let mut text = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(|| wrong(node, "a ${ without a closing }"))?;
            text.push_str(before);
            match name.strip_prefix('!') {
                // `${!this}` is how `!Sub` writes a literal `${this}`.
                Some(literal) => text.push_str(&format!("${{{literal}}}")),
                None => text.push_str(&self.value(name, node)?),
            }
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }

    /// A mapping to texts, such as stage variables.
    pub(super) fn texts(&self, node: &Node<'_>) -> Read<BTreeMap<String, String>> {
        entries(node)?.into_iter().map(|(name, value)| Ok((name.to_owned(), self.text(value)?))).collect()
    }

    /// A list of texts. A single text counts as a list of one.
    pub(super) fn list(&self, node: &Node<'_>) -> Read<Vec<String>> {
        match node.data.as_sequence() {
            Some(nodes) => nodes.iter().map(|node| self.text(node)).collect(),
            None => Ok(vec![self.text(node)?]),
        }
    }
}

/// The name and argument of `!Name argument`, `Fn::Name: argument` or `Ref: argument`.
fn intrinsic<'a>(node: &'a Node<'_>) -> Option<(&'a str, &'a Node<'a>)> {
    match &node.data {
        YamlData::Tagged(tag, argument) => Some((&tag.suffix, argument)),
        YamlData::Mapping(mapping) if mapping.len() == 1 => {
            let (name, argument) = mapping.iter().next()?;
            let name = text_of(name).ok()?;
            Some((name.strip_prefix("Fn::").or((name == "Ref").then_some("Ref"))?, argument))
        }
        _ => None,
    }
}

/// `!GetAtt A.Arn`, `Fn::GetAtt: [A, Arn]` or `Fn::GetAtt: A.Arn`, as `A.Arn`.
pub(super) fn get_att(node: &Node<'_>) -> Option<String> {
    let ("GetAtt", argument) = intrinsic(node)? else { return None };
    match argument.data.as_sequence() {
        None => argument.data.as_str().map(str::to_owned),
        Some(parts) => {
            let parts: Option<Vec<_>> = parts.iter().map(|part| part.data.as_str()).collect();
            parts.map(|parts| parts.join("."))
        }
    }
}

/// `!Ref A`, as `A`.
pub(super) fn reference<'a>(node: &'a Node<'_>) -> Option<&'a str> {
    match intrinsic(node)? {
        ("Ref", name) => name.data.as_str(),
        _ => None,
    }
}

pub(super) fn find<'a, 'b>(node: &'a Node<'b>, key: &str) -> Option<&'a Node<'b>> {
    node.data.as_mapping_get(key)
}

pub(super) fn get<'a, 'b>(node: &'a Node<'b>, key: &str) -> Read<&'a Node<'b>> {
    find(node, key).ok_or_else(|| wrong(node, format!("{key} is missing here")))
}

pub(super) fn entries<'a>(node: &'a Node<'_>) -> Read<Vec<(&'a str, &'a Node<'a>)>> {
    let mapping = node.data.as_mapping().ok_or_else(|| wrong(node, "must be a mapping"))?;
    mapping.iter().map(|(key, value)| Ok((text_of(key)?, value))).collect()
}

pub(super) fn text_of<'a>(node: &'a Node<'_>) -> Read<&'a str> {
    match &node.data {
        YamlData::Value(Scalar::String(text)) => Ok(text),
        _ => Err(wrong(node, "must be text")),
    }
}

/// A string, integer or boolean as text, the way CloudFormation writes it.
pub(super) fn scalar(node: &Node<'_>) -> Option<String> {
    match &node.data {
        YamlData::Value(Scalar::String(text)) => Some(text.to_string()),
        YamlData::Value(Scalar::Integer(number)) => Some(number.to_string()),
        YamlData::Value(Scalar::Boolean(truth)) => Some(truth.to_string()),
        _ => None,
    }
}

pub(super) fn wrong(node: &Node<'_>, problem: impl Into<String>) -> At {
    At(node.span.start.line(), problem.into())
}
