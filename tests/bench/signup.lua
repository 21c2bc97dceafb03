-- Sign-ups under names that nobody has: the clock and a counter make them new in every run.
local base, n = string.format("%x", os.time() % 0xfffff), 0

request = function()
  n = n + 1
  local name = string.format("b%s_%06x", base, n)
  local body = string.format(
    '{"username":"%s","email":"%s@example.org","password":"%s"}', name, name, os.getenv("BENCH_PASSWORD"))
  return wrk.format("POST", "/signup", {
    ["Content-Type"] = "application/json",
    ["X-CSRF-Token"] = os.getenv("BENCH_CSRF"),
    ["Cookie"] = "_gorilla_csrf=" .. os.getenv("BENCH_CSRF_COOKIE"),
  }, body)
end

