//! A disk in memory. It knows what was synced and what was not, so that the power can be cut; each operation can be made to fail
//! or to wait.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::super::files::{File, Files, Readable};
use super::super::name::Name;

/// What is asked of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    List,
    Open,
    Read,
    Create,
    Append,
    Write(usize),
    Sync,
    Rename,
    Remove,
    SyncNames,
}

/// One operation: its number from 1 on, and the file. A file keeps its number under another name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    pub(super) number: u64,
    pub(super) what: What,
    pub(super) file: Option<u64>,
}

/// What of a disk is there after a power cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Survives {
    /// Names that were not synced.
    pub(super) names: bool,
    /// How many quarters of the bytes that were not synced.
    pub(super) quarters: usize,
}

/// Lets an operation pass or not.
type Gate = Box<dyn FnMut(Operation) -> io::Result<()> + Send>;

#[derive(Clone)]
pub(super) struct Memory {
    names: Arc<Mutex<Names>>,
    gate: Arc<Mutex<Gate>>,
    history: Arc<Mutex<Vec<(Operation, bool)>>>,
}

#[derive(Default)]
struct Names {
    live: BTreeMap<Name, Node>,
    synced: BTreeMap<Name, Node>,
    files: u64,
}

#[derive(Clone)]
struct Node {
    number: u64,
    data: Arc<Mutex<Data>>,
}

#[derive(Default)]
struct Data {
    live: Vec<u8>,
    synced: Vec<u8>,
}

impl Memory {
    /// An empty disk on which everything works.
    pub(super) fn new() -> Self {
        Self { names: Arc::default(), gate: Arc::new(Mutex::new(Box::new(|_| Ok(())))), history: Arc::default() }
    }

    /// From now on `gate` is asked about each operation.
    pub(super) fn set_gate(&self, gate: impl FnMut(Operation) -> io::Result<()> + Send + 'static) {
        *self.gate.lock().unwrap() = Box::new(gate);
    }

    /// All operations so far, and whether they worked.
    pub(super) fn history(&self) -> Vec<(Operation, bool)> {
        self.history.lock().unwrap().clone()
    }

    /// The disk as it is found after a power cut now.
    pub(super) fn after_power_cut(&self, survives: Survives) -> Self {
        let after = Self::new();
        let names = self.names.lock().unwrap();
        for (&name, node) in if survives.names { &names.live } else { &names.synced } {
            let data = node.data.lock().unwrap();
            let common = data.live.iter().zip(&data.synced).take_while(|(live, synced)| live == synced).count();
            let mut bytes = data.synced.clone();
            if common == bytes.len() {
                let unsynced = &data.live[common..];
                bytes.extend_from_slice(&unsynced[..unsynced.len() * survives.quarters / 4]);
            } else if survives.quarters == 4 {
                bytes.clone_from(&data.live);
            }
            after.put(name, bytes);
        }
        after
    }

    /// Puts a file there.
    pub(super) fn put(&self, name: Name, bytes: Vec<u8>) {
        let mut names = self.names.lock().unwrap();
        names.files += 1;
        let data = Data { live: bytes.clone(), synced: bytes };
        let node = Node { number: names.files, data: Arc::new(Mutex::new(data)) };
        names.live.insert(name, node.clone());
        names.synced.insert(name, node);
    }

    /// What is in a file.
    pub(super) fn get(&self, name: Name) -> Option<Vec<u8>> {
        let names = self.names.lock().unwrap();
        names.live.get(&name).map(|node| node.data.lock().unwrap().live.clone())
    }

    /// The names there are.
    pub(super) fn names(&self) -> Vec<Name> {
        self.names.lock().unwrap().live.keys().copied().collect()
    }

    /// How many bytes all files have.
    pub(super) fn bytes(&self) -> usize {
        let names = self.names.lock().unwrap();
        names.live.values().map(|node| node.data.lock().unwrap().live.len()).sum()
    }

    fn pass(&self, what: What, file: Option<u64>) -> io::Result<()> {
        let operation = {
            let mut history = self.history.lock().unwrap();
            let operation = Operation { number: history.len() as u64 + 1, what, file };
            history.push((operation, false));
            operation
        };
        let passed = (self.gate.lock().unwrap())(operation);
        if passed.is_ok() {
            self.history.lock().unwrap()[usize::try_from(operation.number).unwrap() - 1].1 = true;
        }
        passed
    }

    fn node(&self, name: Name) -> io::Result<Node> {
        self.names.lock().unwrap().live.get(&name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn handle(&self, node: Node) -> Box<Open> {
        Box::new(Open { disk: self.clone(), node, at: 0 })
    }
}

impl Files for Memory {
    fn list(&self) -> io::Result<Vec<Name>> {
        self.pass(What::List, None)?;
        Ok(self.names())
    }

    fn read(&self, name: Name) -> io::Result<Box<dyn Readable>> {
        let node = self.node(name)?;
        self.pass(What::Open, Some(node.number))?;
        Ok(self.handle(node))
    }

    fn create(&self, name: Name) -> io::Result<Box<dyn File>> {
        self.pass(What::Create, None)?;
        let mut names = self.names.lock().unwrap();
        names.files += 1;
        let node = Node { number: names.files, data: Arc::default() };
        names.live.insert(name, node.clone());
        drop(names);
        Ok(self.handle(node))
    }

    fn append(&self, name: Name, len: u64) -> io::Result<Box<dyn File>> {
        let node = self.node(name)?;
        self.pass(What::Append, Some(node.number))?;
        node.data.lock().unwrap().live.truncate(usize::try_from(len).unwrap());
        Ok(self.handle(node))
    }

    fn rename(&self, from: Name, to: Name) -> io::Result<()> {
        let node = self.node(from)?;
        self.pass(What::Rename, Some(node.number))?;
        let mut names = self.names.lock().unwrap();
        names.live.remove(&from);
        names.live.insert(to, node);
        Ok(())
    }

    fn remove(&self, name: Name) -> io::Result<()> {
        let node = self.node(name)?;
        self.pass(What::Remove, Some(node.number))?;
        self.names.lock().unwrap().live.remove(&name);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.pass(What::SyncNames, None)?;
        let mut names = self.names.lock().unwrap();
        names.synced = names.live.clone();
        Ok(())
    }

    fn path(&self, name: Name) -> PathBuf {
        name.to_string().into()
    }
}

struct Open {
    disk: Memory,
    node: Node,
    at: usize,
}

impl Write for Open {
    /// What is written before an error stays.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.pass(What::Write(bytes.len()), Some(self.node.number))?;
        let half = bytes.len().div_ceil(2);
        self.node.data.lock().unwrap().live.extend_from_slice(&bytes[..half]);
        Ok(half)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl File for Open {
    fn sync(&mut self) -> io::Result<()> {
        let bytes = self.node.data.lock().unwrap().live.clone();
        self.disk.pass(What::Sync, Some(self.node.number))?;
        self.node.data.lock().unwrap().synced = bytes;
        Ok(())
    }
}

impl Read for Open {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.disk.pass(What::Read, Some(self.node.number))?;
        let data = self.node.data.lock().unwrap();
        let len = data.live.len().saturating_sub(self.at).min(into.len());
        into[..len].copy_from_slice(&data.live[self.at..self.at + len]);
        drop(data);
        self.at += len;
        Ok(len)
    }
}

impl Readable for Open {
    fn len(&self) -> io::Result<u64> {
        Ok(self.node.data.lock().unwrap().live.len() as u64)
    }

    fn read_end(&self, into: &mut [u8]) -> io::Result<usize> {
        self.disk.pass(What::Read, Some(self.node.number))?;
        let data = self.node.data.lock().unwrap();
        let len = data.live.len().min(into.len());
        into[..len].copy_from_slice(&data.live[data.live.len() - len..]);
        Ok(len)
    }
}
