"""The style sheet of the page: light and dark by the reader's choice, and ready for paper."""

STYLE = """
:root { color-scheme: light dark; --ink: #24292f; --dim: #6b7078; --paper: #fcfbf9; --card: #f4f2ee;
  --rule: #dedad2; --train: #2360b8; --val: #a85c00; --gradient: #7540c4; --rate: #1f7a45; --alarm: #c2223a;
}
@media (prefers-color-scheme: dark) { :root { --ink: #c8d0dc; --dim: #8b94a3; --paper: #101419;
  --card: #161b22; --rule: #2a323d; --train: #7aa2f7; --val: #e5a45c; --gradient: #b392f0;
  --rate: #73c991; --alarm: #f0717c; } }
@media print { :root { --ink: #000; --dim: #555; --paper: #fff; --card: #fff; --rule: #ccc; --train: #2360b8;
  --val: #a85c00; --gradient: #7540c4; --rate: #1f7a45; --alarm: #c2223a; }
  details, figure { break-inside: avoid; } details > :not(summary) { display: block; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans", "Noto Sans SC", sans-serif; }
main { max-width: 920px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 28px; margin: 0 0 8px; line-height: 1.2; }
h2 { font-size: 17px; margin: 36px 0 12px; }
header p:first-child, .dim, footer { color: var(--dim); }
header p { margin: 0 0 4px; }
.lead { font-size: 17px; padding: 10px 14px; background: var(--card); border-left: 4px solid var(--rule); }
.lead.spike { border-color: var(--alarm); }
figure { margin: 28px 0; }
figcaption { font-weight: 600; margin-bottom: 4px; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--dim); font-size: 12px; }
.grid { stroke: var(--rule); fill: none; }
.line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.band { stroke: none; opacity: .28; }
.alarm { stroke: var(--alarm); fill: none; stroke-width: 1.4; }
.after { fill: var(--alarm); opacity: .09; }
.line.train { stroke: var(--train); } .band.train { fill: var(--train); } .key.train { color: var(--train); }
.line.val { stroke: var(--val); } .band.val { fill: var(--val); } .key.val { color: var(--val); }
.line.gradient { stroke: var(--gradient); } .band.gradient { fill: var(--gradient); }
.line.rate { stroke: var(--rate); } .band.rate { fill: var(--rate); }
.key { font-weight: 400; margin-left: 12px; }
.key::before { content: "━ "; }
details { border-top: 1px solid var(--rule); padding: 10px 0; }
summary { cursor: pointer; }
.bar { display: inline-block; width: 110px; height: 6px; border-radius: 3px; background: var(--rule);
  vertical-align: middle; }
.bar i { display: block; height: 6px; border-radius: 3px; background: var(--alarm); }
table { border-collapse: collapse; width: 100%; margin: 10px 0; font-size: 14px; }
th { text-align: left; font-weight: 500; color: var(--dim); }
th, td { padding: 4px 12px 4px 0; vertical-align: top; border-bottom: 1px solid var(--rule); }
code, pre, td:first-child { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace;
  font-size: 13px; }
code { color: var(--dim); }
pre { background: var(--card); padding: 10px 14px; overflow-x: auto; margin: 6px 0; white-space: pre-wrap; }
.fix { border-left: 4px solid var(--train); padding-left: 12px; margin: 14px 0; }
.fix.now { border-color: var(--alarm); }
.fix p { margin: 0; }
footer { margin-top: 48px; border-top: 1px solid var(--rule); font-size: 13px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; }
dd { margin: 0; overflow-wrap: anywhere; }
"""
