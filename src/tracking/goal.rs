//! Which values of a metric are good: guessed from its name.

use serde::{Deserialize, Serialize};

/// The values of a metric that are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// Small values, such as those of a loss.
    Lowest,
    /// Large values, such as those of an accuracy.
    Highest,
}

/// Parts of names of losses and errors.
const SMALLER: [&str; 10] =
    ["loss", "error", "rmse", "mse", "mae", "mape", "perplexity", "logloss", "entropy", "deviance"];

/// Words in names of scores; some are too short to be looked for inside of words.
const LARGER: [&str; 22] = [
    "acc",
    "accuracy",
    "auc",
    "auroc",
    "auprc",
    "ap",
    "map",
    "f1",
    "fbeta",
    "r2",
    "precision",
    "recall",
    "sensitivity",
    "specificity",
    "score",
    "bleu",
    "rouge",
    "ndcg",
    "mrr",
    "iou",
    "dice",
    "kappa",
];

impl Goal {
    /// The goal that the name of a metric suggests, such as [`Goal::Lowest`] for `val_loss`.
    pub fn of(metric: &str) -> Option<Goal> {
        let lower = metric.to_lowercase();
        if SMALLER.iter().any(|part| lower.contains(part)) {
            return Some(Goal::Lowest);
        }
        let mut words = lower.split(|c: char| !c.is_alphanumeric());
        words.any(|word| LARGER.contains(&word)).then_some(Goal::Highest)
    }

    /// Whether the first value is better than the second. NaN is never better.
    pub fn prefers(self, value: f64, other: f64) -> bool {
        match self {
            Goal::Lowest => value < other,
            Goal::Highest => value > other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_metrics_suggest_a_goal() {
        for (name, goal) in [
            ("val_loss", Some(Goal::Lowest)),
            ("metrics.RMSE", Some(Goal::Lowest)),
            ("score_error", Some(Goal::Lowest)),
            ("test/accuracy", Some(Goal::Highest)),
            ("r2", Some(Goal::Highest)),
            ("training_roc_auc", Some(Goal::Highest)),
            ("macro avg.f1-score", Some(Goal::Highest)),
            ("mapping", None),
            ("rows", None),
            ("", None),
        ] {
            assert_eq!(Goal::of(name), goal, "{name}");
        }
    }

    #[test]
    fn nothing_is_better_than_nan_but_nan_is_not_better_either() {
        assert!(Goal::Lowest.prefers(1.0, 2.0) && !Goal::Lowest.prefers(2.0, 2.0));
        assert!(Goal::Highest.prefers(3.0, 2.0) && !Goal::Highest.prefers(1.0, 2.0));
        for goal in [Goal::Lowest, Goal::Highest] {
            assert!(!goal.prefers(f64::NAN, 1.0) && !goal.prefers(1.0, f64::NAN));
        }
    }
}
