package dialplan

import (
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// A country knows what numbers mean that are dialled in it. What it knows is
// phonenumbers' metadata; the zero country knows nothing.
type country struct {
	region string // ISO 3166 in upper case, as phonenumbers has it; empty: not configured
	area   string
	met    *meanings // nil: each number is looked at anew
}

func knownCountry(region string) bool {
	return phonenumbers.GetSupportedRegions()[strings.ToUpper(region)]
}

// emergencyNumbers are the country's, of up to three digits.
func (c country) emergencyNumbers() []string {
	var numbers []string
	if c.region == "" {
		return nil
	}
	for digits := 2; digits <= 3; digits++ {
		limit := 100
		if digits == 3 {
			limit = 1000
		}
		for i := range limit {
			n := strconv.Itoa(limit + i)[1:]
			if phonenumbers.IsEmergencyNumber(n, c.region) {
				numbers = append(numbers, n)
			}
		}
	}
	return numbers
}

// find tells what a number dialled on the public network means: as dialled by a
// subscriber of the country, or + and digits.
func (c country) find(digits string) meaning {
	if c.region == "" && !strings.HasPrefix(digits, "+") {
		return meaning{class: Premium, why: "its meaning is unknown without a country"}
	}
	n, err := phonenumbers.Parse(digits, c.region)
	if err != nil {
		return meaning{class: Premium, why: "no number of " + c.name() + " looks like it"}
	}
	if len(digits) <= maxShort && phonenumbers.IsValidShortNumberForRegion(n, c.region) {
		return meaning{class: Premium, why: "a short number, whose price is unknown; its rule can say a class"}
	}
	if whole := c.withArea(n, digits); whole != nil {
		return meaning{class: Local, number: whole, why: "a number without area code"}
	}
	region, kind := phonenumbers.GetRegionCodeForNumber(n), phonenumbers.GetNumberType(n)
	home := int(n.GetCountryCode()) == phonenumbers.GetCountryCodeForRegion(c.region)
	switch {
	case kind == phonenumbers.PREMIUM_RATE || kind == phonenumbers.SHARED_COST:
		return meaning{class: Premium, number: n, why: "a number that costs extra"}
	case !home:
		return meaning{class: International, number: n, why: "a number of +" + strconv.Itoa(int(n.GetCountryCode()))}
	case region != "" && region != c.region && region != "ZZ":
		return meaning{class: International, number: n, why: "a number of " + strings.ToLower(region)}
	case !phonenumbers.IsPossibleNumber(n):
		return meaning{class: Premium, number: n, why: "no number of " + c.name() + " looks like it"}
	case kind == phonenumbers.TOLL_FREE:
		return meaning{class: Local, number: n, why: "a free number"}
	case c.area != "" && kind != phonenumbers.MOBILE && strings.HasPrefix(phonenumbers.GetNationalSignificantNumber(n), c.area):
		return meaning{class: Local, number: n, why: "a number of area " + c.area}
	}
	return meaning{class: National, number: n, why: "a number of " + c.name()}
}

// maxShort is the length of the longest short numbers, such as 116117.
const maxShort = 6

// withArea completes a number dialled without its area code: one that is
// possible only locally, or, where every other number begins with the trunk
// prefix 0, one without it. It returns nil for any other number.
func (c country) withArea(n *phonenumbers.PhoneNumber, digits string) *phonenumbers.PhoneNumber {
	local := phonenumbers.IsPossibleNumberWithReason(n) == phonenumbers.IS_POSSIBLE_LOCAL_ONLY
	prefix := phonenumbers.GetNddPrefixForRegion(c.region, true)
	open := c.area != "" && prefix == "0" && !strings.HasPrefix(digits, prefix) && !strings.HasPrefix(digits, "+")
	if !local && !open {
		return nil
	}
	if c.area != "" {
		whole, err := phonenumbers.Parse(prefix+c.area+digits, c.region)
		if err == nil && phonenumbers.IsPossibleNumber(whole) {
			return whole
		}
	}
	if local {
		return n
	}
	return nil
}

func (c country) name() string {
	if c.region == "" {
		return "any country"
	}
	return strings.ToLower(c.region)
}
