"""Four weeks of invented news: what the demo's feeds and source channels say."""
