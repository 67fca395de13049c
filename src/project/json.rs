//! Snapshots as JSON: the shape of `kedro.inspection.ProjectSnapshot`, both ways.
