// A second opinion: the same histories (../README.md), checked by Porcupine against models that were
// written anew from docs and not from ../*.cpp. It samples keys, and of a busy key the first calls.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// call is one line of a history. Fields that were not seen are nil.
type call struct {
	Key       string `json:"key"`
	Op        string `json:"op"`
	Client    int    `json:"client"`
	Invoke    int64  `json:"invoke"`
	Return    *int64 `json:"return"`
	Status    int    `json:"status"`
	Group     int    `json:"group"`
	Quantity  int64  `json:"quantity"`
	IfVersion *int64 `json:"if_version"`
	Version   *int64 `json:"version"`
	OnHand    *int64 `json:"on_hand"`
	Reserved  *int64 `json:"reserved"`
	Available *int64 `json:"available"`
	Seen      string `json:"seen"`
	Digest    string `json:"digest"`
	Replayed  bool   `json:"replayed"`

	maybe bool // it may have happened, or not
	facts *facts
}

func readHistory(path string) (map[string][]*call, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	keys := map[string][]*call{}
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 1<<20), 1<<20)
	for number := 1; lines.Scan(); number++ {
		c := &call{}
		if err := json.Unmarshal(lines.Bytes(), c); err != nil {
			return nil, fmt.Errorf("%s:%d: %v", path, number, err)
		}
		keys[c.Key] = append(keys[c.Key], c)
	}
	return keys, lines.Err()
}

// firstCalls is what was under way up to the limit-th call. Every prefix of a linearizable history is
// one, when what had no answer yet may have happened or not.
func firstCalls(calls []*call, limit int) []*call {
	sort.SliceStable(calls, func(i, j int) bool { return calls[i].Invoke < calls[j].Invoke })
	cut := int64(math.MaxInt64)
	if limit > 0 && len(calls) > limit {
		cut = calls[limit].Invoke
	}
	var kept []*call
	for _, original := range calls {
		if original.Invoke >= cut {
			continue
		}
		c := *original
		if c.Return == nil || *c.Return >= cut {
			if isRead(&c) {
				continue // it tells nothing
			}
			c.Return, c.maybe = nil, true
			c.Status, c.Version, c.OnHand, c.Reserved = 0, nil, nil, nil
		}
		kept = append(kept, &c)
	}
	return kept
}

func isRead(c *call) bool {
	switch c.Op {
	case "read_stock", "read_menu", "read_order", "events", "refuse":
		return true
	}
	return false
}

func operations(calls []*call) []porcupine.Operation {
	var all []porcupine.Operation
	for _, c := range calls {
		end := int64(math.MaxInt64)
		if c.Return != nil {
			end = *c.Return
		}
		all = append(all, porcupine.Operation{ClientId: c.Client, Input: c, Call: c.Invoke, Return: end})
	}
	return all
}

func modelOf(key string) (porcupine.NondeterministicModel, bool) {
	switch {
	case strings.HasPrefix(key, "stock/"):
		return stockModel, true
	case strings.HasPrefix(key, "order/"):
		return orderModel, true
	case strings.HasPrefix(key, "key/"):
		return keyModel, true
	}
	return porcupine.NondeterministicModel{}, false
}

func check(key string, calls []*call, limit int, timeout time.Duration) (porcupine.CheckResult, int) {
	model, known := modelOf(key)
	if !known {
		fmt.Fprintln(os.Stderr, "no model is for", key)
		os.Exit(2)
	}
	kept := firstCalls(calls, limit)
	seen := learn(kept)
	for _, c := range kept {
		c.facts = seen
	}
	return porcupine.CheckOperationsTimeout(model.ToModel(), operations(kept), timeout), len(kept)
}

// expect checks files whose names begin with good- or bad-.
func expect(folder string, timeout time.Duration) int {
	paths, _ := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	wrong := 0
	for _, path := range paths {
		keys, err := readHistory(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
		result := porcupine.Ok
		for key, calls := range keys {
			if said, _ := check(key, calls, 0, timeout); said != porcupine.Ok {
				result = said
			}
		}
		good := strings.HasPrefix(filepath.Base(path), "good-")
		if (result == porcupine.Ok) != good || result == porcupine.Unknown {
			wrong++
			fmt.Printf("%s: Porcupine says %s\n", path, result)
		}
	}
	fmt.Printf("Porcupine agrees on %d of %d histories\n", len(paths)-wrong, len(paths))
	if wrong > 0 || len(paths) == 0 {
		return 1
	}
	return 0
}

func main() {
	folder := flag.String("expect", "", "a folder of good-*.jsonl and bad-*.jsonl that must be told apart")
	sample := flag.Int("keys", 500, "keys to check of each kind but stock, of which all are")
	limit := flag.Int("limit", 1500, "calls of a key, from the first")
	seed := flag.Int64("seed", 1, "of the sample")
	timeout := flag.Duration("timeout", 60*time.Second, "for one key")
	flag.Parse()
	if *folder != "" {
		os.Exit(expect(*folder, *timeout))
	}
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "porcupine [-keys N] [-limit N] [-seed S] FILE | -expect FOLDER")
		os.Exit(2)
	}
	keys, err := readHistory(flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(sampled(keys, *sample, *limit, *seed, *timeout))
}

func sampled(keys map[string][]*call, sample, limit int, seed int64, timeout time.Duration) int {
	kinds := map[string][]string{}
	for key := range keys {
		kind := key[:strings.Index(key, "/")]
		kinds[kind] = append(kinds[kind], key)
	}
	counts := map[porcupine.CheckResult]int{}
	calls, chance := 0, rand.New(rand.NewSource(seed))
	for _, kind := range []string{"stock", "order", "key"} {
		names := kinds[kind]
		sort.Strings(names)
		chance.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		if kind != "stock" && len(names) > sample {
			names = names[:sample]
		}
		for _, key := range names {
			said, count := check(key, keys[key], limit, timeout)
			counts[said]++
			calls += count
			if said != porcupine.Ok {
				fmt.Printf("%s: Porcupine says %s of its first %d calls\n", key, said, count)
			}
		}
	}
	fmt.Printf("Porcupine: %d keys with %d calls: %d linearizable, %d not, %d undecided within %s each\n",
		counts[porcupine.Ok]+counts[porcupine.Illegal]+counts[porcupine.Unknown], calls,
		counts[porcupine.Ok], counts[porcupine.Illegal], counts[porcupine.Unknown], timeout)
	if counts[porcupine.Illegal] > 0 || counts[porcupine.Ok] == 0 {
		return 1
	}
	return 0
}
