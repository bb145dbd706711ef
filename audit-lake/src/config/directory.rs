//! Accounts, keys and channels, arranged for lookups.

use std::collections::{HashMap, HashSet};

use audit_core::{AccountId, ChannelArn};

use super::settings::{AccountConfig, ChannelConfig, KeyConfig, LakeConfig};

/// Accounts, keys and channels as of the last (re)load. Replaced as a whole, never changed.
#[derive(Debug)]
pub(crate) struct Directory {
    keys: HashMap<String, (AccountId, KeyConfig)>,
    accounts: HashMap<AccountId, AccountConfig>,
    channels: HashMap<ChannelArn, ChannelConfig>,
    /// Channels by their ID, the ARN's last part.
    by_id: HashMap<String, Vec<ChannelArn>>,
    regions: HashSet<String>,
}

impl Directory {
    pub(crate) fn new(config: &LakeConfig) -> Self {
        let mut directory = Self {
            keys: HashMap::new(),
            accounts: HashMap::new(),
            channels: HashMap::new(),
            by_id: HashMap::new(),
            regions: config.region.iter().cloned().collect(),
        };
        for account in &config.accounts {
            for key in &account.keys {
                directory.keys.insert(key.id.clone(), (account.id, key.clone()));
            }
            directory.accounts.insert(account.id, account.clone());
        }
        for channel in &config.channels {
            directory.regions.insert(channel.arn.region().to_owned());
            directory.by_id.entry(channel.arn.channel_id().to_owned()).or_default().push(channel.arn.clone());
            directory.channels.insert(channel.arn.clone(), channel.clone());
        }
        directory
    }

    /// The account and the secret side of an access key.
    pub(crate) fn key(&self, id: &str) -> Option<(&AccountConfig, &KeyConfig)> {
        let (account, key) = self.keys.get(id)?;
        Some((self.accounts.get(account)?, key))
    }

    /// Whether requests may be signed for a region.
    pub(crate) fn serves(&self, region: &str) -> bool {
        self.regions.contains(region)
    }

    /// A channel by its ARN.
    pub(crate) fn channel(&self, arn: &ChannelArn) -> Option<&ChannelConfig> {
        self.channels.get(arn)
    }

    /// A channel by its ID. Where several have it: the caller's own before another's, one of the region before one of
    /// another.
    pub(crate) fn channel_by_id(&self, id: &str, region: &str, caller: AccountId) -> Option<&ChannelConfig> {
        let candidates = self.by_id.get(id)?;
        let nearness = |arn: &&ChannelArn| (arn.account() == caller, arn.region() == region);
        self.channel(candidates.iter().max_by_key(nearness)?)
    }
}
