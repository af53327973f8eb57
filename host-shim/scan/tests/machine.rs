//! Ad hoc
use spacecp_scan::*;
#[test]
#[ignore]
fn machine() {
    let arg: Vec<String> = std::env::var("SCAN").unwrap().split(' ').map(str::to_owned).collect();
    let provider: Provider = serde_json::from_str(&format!("\"{}\"", arg[0])).unwrap();
    let mut scanner = Scanner::new(ScanLimits::default(), Some("/tmp/inv-memory".into()));
    for _ in 0..2 {
    let begin = std::time::Instant::now();
    let report = scanner.scan(&[Job { name: "m".into(), place: arg[1].clone().into(), providers: vec![provider], except: vec![] }], &Default::default(), jiff::Timestamp::now());
    eprintln!("{} found, {} unread, {} read, {} unchanged, {:?}", report.found.len(), report.unread.len(), report.files_read, report.files_unchanged, begin.elapsed());
    for u in report.unread.iter().take(15) { eprintln!("  {}: {}", u.at, u.why); }
    std::fs::write("/tmp/inv-out.txt", report.found.iter().map(|f| format!("{}\t{}\t{}\t{}\n", f.name, f.advisory_name, f.version.clone().unwrap_or_else(|e| format!("? {e}")), f.found_at)).collect::<String>()).unwrap();
    }
}
