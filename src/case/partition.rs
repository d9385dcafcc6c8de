//! A part of all cases, so that several jobs can share them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// One of several parts of all cases, `hash:1/4`. A case is in the part that its id says, whatever else there is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Partition {
    part: u64,
    of: u64,
}

impl Partition {
    /// Whether a case is in this part.
    pub fn has(self, id: &str) -> bool {
        let digest = Sha256::digest(id);
        let hash = u64::from_le_bytes(std::array::from_fn(|index| digest[index]));
        hash % self.of == self.part - 1
    }

    /// Where in the numbers of a seed a search of this part begins: far from those of the others.
    pub fn offset(self) -> u64 {
        (self.part - 1) << 40
    }

    /// The parts that are missing besides these.
    pub fn missing(parts: &[Partition]) -> Vec<Partition> {
        let Some(of) = parts.first().map(|part| part.of) else { return Vec::new() };
        (1..=of).map(|part| Partition { part, of }).filter(|part| !parts.contains(part)).collect()
    }

    /// Whether the parts are of one whole.
    pub fn fit(self, other: Partition) -> bool {
        self.of == other.of
    }
}

impl FromStr for Partition {
    type Err = NoPartition;

    fn from_str(text: &str) -> Result<Partition, NoPartition> {
        let wrong = || NoPartition(text.to_owned());
        let (part, of) = text.strip_prefix("hash:").and_then(|rest| rest.split_once('/')).ok_or_else(wrong)?;
        let (part, of) = (part.parse().map_err(|_| wrong())?, of.parse().map_err(|_| wrong())?);
        if !(1..=10_000).contains(&of) || !(1..=of).contains(&part) {
            return Err(wrong());
        }
        Ok(Partition { part, of })
    }
}

impl TryFrom<String> for Partition {
    type Error = NoPartition;

    fn try_from(text: String) -> Result<Partition, NoPartition> {
        text.parse()
    }
}

impl From<Partition> for String {
    fn from(partition: Partition) -> String {
        partition.to_string()
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hash:{}/{}", self.part, self.of)
    }
}

/// A text that names no part.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected hash:K/N with K from 1 to N, such as hash:1/4, found {0:?}")]
pub struct NoPartition(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_in_one_part() {
        let parts: Vec<Partition> = (1..=4).map(|part| format!("hash:{part}/4").parse().unwrap()).collect();
        let sizes = parts.iter().map(|part| (0..1000).filter(|id| part.has(&format!("case/{id}"))).count());
        let sizes: Vec<usize> = sizes.collect();
        assert_eq!(sizes.iter().sum::<usize>(), 1000);
        assert!(sizes.iter().all(|size| *size > 150), "{sizes:?}");
        assert_eq!(Partition::missing(&parts[1..]), parts[..1]);
        for wrong in ["1/4", "hash:0/4", "hash:5/4", "hash:1/0", "hash:a/b", "hash:1"] {
            assert!(wrong.parse::<Partition>().is_err(), "{wrong}");
        }
    }
}
