-- wrk's script: each request places one order of two cups. SKUS spreads them over so many SKUs. With REFUSED=1 it expects
-- another price, so it is read, checked and priced, and then refused: what an order costs before there is one.
local skus = tonumber(os.getenv("SKUS") or "16")
local token = os.getenv("TOKEN") or "tok_approve"
local wait = os.getenv("WAIT")
local refused = os.getenv("REFUSED") and '"expected_total":{"amount":1,"currency":"KRW"},' or ""
local pause = tonumber(os.getenv("DELAY_MS") or "0") -- between an answer and the next order
local n = 0

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
if wait then wrk.headers["Prefer"] = "wait=" .. wait end

if pause > 0 then delay = function() return pause end end

request = function()
  n = n + 1
  return wrk.format(nil, "/v1/orders", nil, string.format(
    '{' .. refused .. '"customer_id":"c-%d","lines":[{"sku":"bench-%d","quantity":2}],' ..
    '"payment":{"method":"card","token":"%s"},' ..
    '"shipping_address":{"line1":"1 Sejong-daero","city":"Seoul","country":"KR"}}',
    n % 1000, n % skus, token))
end

done = function(summary) io.write(string.format("orders %d\n", summary.requests)) end
