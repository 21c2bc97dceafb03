-- The same account signs in again and again: what is measured is the hash and what stands around it.
local body = string.format('{"username":"%s","password":"%s"}', os.getenv("BENCH_USER"), os.getenv("BENCH_PASSWORD"))
local headers = {
  ["Content-Type"] = "application/json",
  ["X-CSRF-Token"] = os.getenv("BENCH_CSRF"),
  ["Cookie"] = "_gorilla_csrf=" .. os.getenv("BENCH_CSRF_COOKIE"),
}

request = function()
  return wrk.format("POST", "/signin", headers, body)
end
