//! YAML with line numbers, and the few intrinsic functions that can be resolved without deploying anything.

use std::collections::BTreeMap;

use saphyr::{MarkedYaml, Scalar, YamlData};

/// A line and the problem there. Callers further up add the path.
#[derive(Debug)]
pub(super) struct At(pub(super) usize, pub(super) String);
pub(super) type Read<T> = Result<T, At>;
pub(super) type Node<'a> = MarkedYaml<'a>;

/// How many conditions may depend on each other in a row. More than anybody writes; only a circle reaches it.
const DEEPEST_CONDITION: u8 = 64;

/// What intrinsic functions can name: parameters and pseudo parameters, by value, and the template's conditions.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    values: BTreeMap<String, String>,
    conditions: Option<&'a Node<'a>>,
}

impl<'a> Names<'a> {
    /// A parameter has the value in `parameters`, or else its `Default`.
    pub(super) fn of(root: &'a Node<'a>, parameters: &[(String, String)]) -> Read<Self> {
        let pseudo = [
            ("AWS::AccountId", crate::aws::ACCOUNT),
            ("AWS::Partition", "aws"),
            ("AWS::Region", crate::aws::REGION),
            ("AWS::StackName", "local"),
            ("AWS::URLSuffix", "amazonaws.com"),
        ];
        let mut values: BTreeMap<_, _> = pseudo.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let known = find(root, "Parameters").map_or(Ok(Vec::new()), entries)?;
        for (name, parameter) in &known {
            if let Some(default) = find(parameter, "Default").and_then(scalar) {
                values.insert((*name).to_owned(), default);
            }
        }
        for (name, value) in parameters {
            if known.iter().all(|(known, _)| known != name) {
                let known: Vec<_> = known.iter().map(|(name, _)| *name).collect();
                return Err(wrong(root, format!("no parameter {name:?}; the parameters are {}", known.join(", "))));
            }
            values.insert(name.clone(), value.clone());
        }
        Ok(Self { values, conditions: find(root, "Conditions") })
    }

    /// The text of a node, which may be written out or be a `!Ref` or `!Sub` of known names, or an `!If` of such.
    pub(super) fn text(&self, node: &Node<'_>) -> Read<String> {
        match intrinsic(node) {
            None => text_of(node).map(str::to_owned),
            Some(("Ref", name)) => self.value(text_of(name)?, node),
            Some(("Sub", pattern)) => self.substitute(text_of(pattern)?, node),
            Some(("If", _)) => {
                self.present(node)?.map_or_else(|| Err(wrong(node, "has no value here")), |node| self.text(node))
            }
            Some((other, _)) => Err(wrong(
                node,
                format!("!{other} is not understood here; use text, or !Ref or !Sub of a parameter with a Default"),
            )),
        }
    }

    /// The node that is meant: for an `!If`, one of its two. `None` for `!Ref AWS::NoValue`, which counts as absent.
    pub(super) fn present<'b>(&self, node: &'b Node<'b>) -> Read<Option<&'b Node<'b>>> {
        match intrinsic(node) {
            Some(("If", arguments)) => {
                let [condition, yes, no] = exactly(arguments)?;
                self.present(if self.condition(text_of(condition)?, condition, 0)? { yes } else { no })
            }
            Some(("Ref", name)) if name.data.as_str() == Some("AWS::NoValue") => Ok(None),
            _ => Ok(Some(node)),
        }
    }

    fn condition(&self, name: &str, node: &Node<'_>, depth: u8) -> Read<bool> {
        if depth > DEEPEST_CONDITION {
            return Err(wrong(node, format!("the condition {name:?} depends on itself")));
        }
        let condition = self.conditions.and_then(|conditions| find(conditions, name));
        self.holds(condition.ok_or_else(|| wrong(node, format!("there is no condition {name:?}")))?, depth + 1)
    }

    /// `depth` counts the conditions that led here.
    fn holds(&self, node: &Node<'_>, depth: u8) -> Read<bool> {
        if let Some(name) = find(node, "Condition") {
            return self.condition(text_of(name)?, name, depth);
        }
        match intrinsic(node) {
            Some(("Equals", arguments)) => {
                let [left, right] = exactly(arguments)?;
                Ok(self.text(left)? == self.text(right)?)
            }
            Some(("Not", arguments)) => {
                let [condition] = exactly(arguments)?;
                Ok(!self.holds(condition, depth)?)
            }
            Some(("And", arguments)) => self.all(arguments, true, depth),
            Some(("Or", arguments)) => self.all(arguments, false, depth).map(|none| !none),
            Some(("Condition", name)) => self.condition(text_of(name)?, name, depth),
            _ => Err(wrong(node, "is not a condition; they are made of !Equals, !Not, !And, !Or and !Condition")),
        }
    }

    /// Whether all conditions have this value.
    fn all(&self, conditions: &Node<'_>, value: bool, depth: u8) -> Read<bool> {
        let conditions = conditions.data.as_sequence().ok_or_else(|| wrong(conditions, "must be a list"))?;
        let values: Read<Vec<bool>> = conditions.iter().map(|node| self.holds(node, depth)).collect();
        Ok(values?.into_iter().all(|other| other == value))
    }

    fn value(&self, name: &str, node: &Node<'_>) -> Read<String> {
        self.values.get(name).cloned().ok_or_else(|| {
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
        let Some(node) = self.present(node)? else { return Ok(Vec::new()) };
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

/// The arguments of an intrinsic function that takes `N` of them.
fn exactly<'a, const N: usize>(arguments: &'a Node<'a>) -> Read<&'a [Node<'a>; N]> {
    let list = arguments.data.as_sequence().and_then(|nodes| nodes.as_slice().try_into().ok());
    list.ok_or_else(|| wrong(arguments, format!("must be a list of {N}")))
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
