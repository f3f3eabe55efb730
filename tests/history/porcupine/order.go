package main

import "github.com/anishathalye/porcupine"

var rank = map[string]int{"": 0, "none": 0, "pending": 1, "reserving": 2, "paying": 3, "paid": 4,
	"preparing": 5, "shipped": 6, "delivered": 7, "rejected": 8, "cancelling": 9, "cancelled": 10}

// reported is how a history writes the standing that a courier reports.
var reported = map[int64]string{6: "shipped", 7: "delivered"}

// least is how many events it takes to stand there.
var least = map[string]int64{"": 0, "pending": 1, "reserving": 1, "paying": 1, "paid": 3, "preparing": 4,
	"shipped": 5, "delivered": 6, "rejected": 3, "cancelling": 2, "cancelled": 2}

// order is comparable.
type order struct {
	at      string // "": it is not there
	atLeast bool   // version is a lower bound
	doomed  bool   // it is being rejected
	version int64
	events  int64
}

func undecided(at string) bool { return rank[at] >= 1 && rank[at] <= 4 }

func (o order) leadsTo(to string) bool {
	if o.at == "cancelling" {
		return to == "cancelling" || to == "cancelled"
	}
	if !undecided(o.at) {
		return false
	}
	return to == "rejected" || (undecided(to) && rank[to] >= rank[o.at]) || (to == "preparing" && !o.doomed)
}

func (o order) seen(version int64, at string) []order {
	if version < o.version {
		return nil
	}
	same := at == o.at && (version == o.version || o.atLeast)
	later := (version > o.version || o.atLeast) && o.leadsTo(at)
	if !same && !later {
		return nil
	}
	o.at, o.version, o.atLeast = at, version, false
	o.doomed = o.doomed && undecided(at)
	return []order{o}
}

// moved is what a client does to it; version nil: nobody was told which it made.
func (o order) moved(version *int64, to string) []order {
	rests := o.at == "preparing" || o.at == "shipped" || o.at == "delivered"
	if version == nil {
		o.at, o.version, o.atLeast = to, o.version+1, true
		return []order{o}
	}
	if *version <= o.version || (rests && !o.atLeast && *version != o.version+1) {
		return nil
	}
	o.at, o.version, o.atLeast = to, *version, false
	return []order{o}
}

func (o order) cancel(c *call) []order {
	can := (undecided(o.at) && !o.doomed) || o.at == "preparing"
	to := "cancelling"
	switch c.Status {
	case 0:
		if can {
			return o.moved(nil, to)
		}
		return nil
	case 409:
		if o.at == "shipped" || o.at == "delivered" || o.at == "rejected" {
			return []order{o}
		}
		if undecided(o.at) {
			o.doomed = true
			return []order{o}
		}
		return nil
	case 200:
		to = "cancelled"
	case 202:
	default:
		return nil
	}
	if o.at == "cancelling" || o.at == "cancelled" {
		return o.seen(*c.Version, to)
	}
	if can {
		return o.moved(c.Version, to)
	}
	return nil
}

func (o order) report(c *call) []order {
	to := reported[c.Quantity]
	ready := o.at == "preparing" || (o.at == "shipped" && to == "delivered") || (undecided(o.at) && !o.doomed)
	switch c.Status {
	case 0:
		if ready {
			return o.moved(nil, to)
		}
	case 409:
		fits := rank[o.at] >= rank["preparing"] && rank[o.at] <= rank[to]
		if o.at != "" && !fits {
			return []order{o}
		}
	case 200:
		if o.at == to {
			return o.seen(*c.Version, to)
		}
		if ready {
			return o.moved(c.Version, to)
		}
	}
	return nil
}

func (o order) step(c *call) []order {
	if c.Op == "place" {
		if o.at != "" || c.Status != 201 || c.facts.bodies[*c.Version] != c.Digest {
			return nil
		}
		return []order{{at: c.Seen, version: *c.Version}}
	}
	if o.at == "" {
		if c.Op == "read_order" && c.Status == 404 {
			return []order{o}
		}
		return nil
	}
	switch c.Op {
	case "read_order":
		if c.Status == 304 && *c.Version == o.version && !o.atLeast {
			return []order{o}
		}
		if c.Status != 200 || c.facts.bodies[*c.Version] != c.Digest {
			return nil
		}
		return o.seen(*c.Version, c.Seen)
	case "cancel":
		return o.cancel(c)
	case "report":
		return o.report(c)
	case "events":
		if c.Status != 200 || c.Quantity < o.events || c.Quantity < least[o.at] ||
			c.facts.chains[c.Quantity] != c.Digest {
			return nil
		}
		o.events = c.Quantity
		return []order{o}
	}
	return nil
}

var orderModel = porcupine.NondeterministicModel{
	Init: func() []interface{} { return []interface{}{order{}} },
	Step: func(state, input, output interface{}) []interface{} {
		c := input.(*call)
		var all []interface{}
		if c.maybe {
			all = append(all, state)
		}
		for _, o := range state.(order).step(c) {
			all = append(all, o)
		}
		return all
	},
}

// key is comparable: one effect, one answer.
type key struct {
	used   bool
	answer string
}

var keyModel = porcupine.NondeterministicModel{
	Init: func() []interface{} { return []interface{}{key{}} },
	Step: func(state, input, output interface{}) []interface{} {
		k, c := state.(key), input.(*call)
		switch {
		case c.Op != "attempt":
			return nil
		case c.maybe:
			return []interface{}{k, key{true, k.answer}}
		case k.answer != "":
			if c.Replayed && c.Digest == k.answer {
				return []interface{}{k}
			}
			return nil
		case c.Replayed && !k.used:
			return nil
		}
		return []interface{}{key{true, c.Digest}}
	},
}
